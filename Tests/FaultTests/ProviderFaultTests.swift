import FakePitchly
import FaultKit
import Testing

/// What the provider and the way to it do to a reply.
@Suite(.serialized) struct ProviderFaultTests {
    private let lost: [FaultKind] = [
        .errorAfter, .htmlAfter, .closedAfter, .resetAfter, .cutBody(bytes: 0), .cutBody(bytes: 40),
        .slowerThanDeadline, .lateDelivery,
    ]
    private let kept: [FaultKind] = [
        .none, .throttled, .errorBefore, .htmlBefore, .closedBefore, .slow, .trickle, .oddLifetime, .extraMembers,
        .refused,
    ]

    @Test func aLostReplyIsReplacedByTheAccessToken() async throws {
        for mode in [RotationMode.strict, .revokeFamilyOnReuse] {
            var matrix = FaultMatrix()
            matrix.plan.rotation = mode
            let results = try await matrix.run(lost + kept)
            expectKept(results)
            for result in results.prefix(lost.count) {
                #expect(result.rung == "access_token", "\(result.trial.fault.name) in \(mode)")
            }
        }
    }

    @Test func withoutTheLadderOnlyLostRepliesAreLost() async throws {
        for mode in [RotationMode.strict, .revokeFamilyOnReuse] {
            var matrix = FaultMatrix()
            matrix.plan.rotation = mode
            matrix.plan.allowsAccessTokenExchange = false
            matrix.plan.accessTokenSeconds = 20
            for result in try await matrix.run(lost + kept) {
                let isLost = lost.contains(result.trial.fault)
                #expect(
                    result.end == (isLost ? .lost : .saved),
                    "\(result.trial.fault.name) in \(mode): \(result.note)"
                )
                #expect(result.presentedTwice == 0, "\(result.trial.fault.name) in \(mode): \(result.note)")
            }
        }
    }

    @Test func aGraceWindowBringsALostReplyBack() async throws {
        var matrix = FaultMatrix()
        matrix.plan.rotation = .grace(seconds: 60)
        matrix.plan.graceSeconds = 60
        matrix.plan.allowsAccessTokenExchange = false
        let results = try await matrix.run(lost)
        expectKept(results)
        for result in results { #expect(result.rung == "replay", "\(result.trial.fault.name)") }
    }

    @Test func aConnectionCutAtAnyByteOfTheRequestLosesNothing() async throws {
        // Before the request, in its head, at the head's end, in the body that carries the token.
        let places = [0, 1, 20, 150, 200, 240, 300, 360]
        expectKept(try await FaultMatrix(isSerial: true).run(places.map { .requestCut(bytes: $0) }))
    }

    @Test func aConnectionCutAtAnyByteOfTheReplyLosesNothing() async throws {
        let places = [0, 1, 12, 60, 120, 180, 220, 300, 400]
        expectKept(try await FaultMatrix(isSerial: true).run(places.map { .replyCut(bytes: $0) }))
    }
}
