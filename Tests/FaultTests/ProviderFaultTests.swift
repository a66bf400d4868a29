import FakePitchly
import FaultKit
import Testing

extension FaultTests {
    /// What the provider and the way to it do to a reply.
    @Suite struct ProviderFaultTests {
        private static let lost: [FaultKind] = [
            .errorAfter, .htmlAfter, .closedAfter, .resetAfter, .cutReply(bytes: 0), .cutReply(bytes: 40),
            .cutBody(bytes: 0), .cutBody(bytes: 30), .slowerThanDeadline, .lateDelivery,
        ]
        /// What the provider had not acted upon when it failed: nobody can know.
        private static let unknown: [FaultKind] = [.errorBefore, .htmlBefore, .closedBefore]
        private static let kept: [FaultKind] = [
            .none, .throttled, .slow, .trickle, .oddLifetime, .extraMembers, .turnedAway,
        ]

        @Test(arguments: [RotationMode.strict, .revokeFamilyOnReuse])
        func aLostReplyIsReplacedByTheAccessToken(_ mode: RotationMode) async throws {
            let outcome = try await play(Self.lost + Self.unknown + Self.kept) { $0.rotation = mode }
            outcome.expectKept()
            for fault in Self.lost + Self.unknown { #expect(outcome[fault]?.rung == "access_token", "\(fault.name)") }
            for fault in Self.kept where fault != .throttled && fault != .turnedAway {
                #expect(outcome[fault]?.posts == 1, "\(fault.name)")
                #expect(outcome[fault]?.rung == nil, "\(fault.name)")
            }
            // Not spent, and presented again. A connection that ended at once may have carried the token.
            #expect(outcome[.throttled]?.rung == "refresh")
            #expect(outcome[.throttled]?.ambiguous == 0)
        }

        @Test(arguments: [RotationMode.strict, .revokeFamilyOnReuse])
        func withoutTheLadderOnlyLostRepliesAreLost(_ mode: RotationMode) async throws {
            let outcome = try await play(Self.lost + Self.unknown + Self.kept) {
                $0.rotation = mode
                $0.allowsAccessTokenExchange = false
                $0.accessTokenSeconds = 30
            }
            outcome.expectLost { Self.lost.contains($0) }
            for fault in Self.unknown { #expect(outcome[fault]?.rung == "late_probe", "\(fault.name)") }
        }

        @Test func aGraceWindowBringsALostReplyBack() async throws {
            let outcome = try await play(Self.lost) {
                $0.rotation = .grace(seconds: 60)
                $0.graceSeconds = 60
                $0.allowsAccessTokenExchange = false
            }
            outcome.expectKept()
            for result in outcome.results { #expect(result.rung == "replay", "\(result.trial.fault.name)") }
        }

        @Test func aConnectionCutAtAnyByteLosesNothing() async throws {
            // Before the request, in its head, in the body that carries the token; after the request, in
            // the status line, in the head, in the body, after it.
            let requests = [0, 1, 20, 150, 200, 240].map { FaultKind.requestCut(bytes: $0) }
            let replies = [0, 1, 12, 60, 120, 220, 300, 10_000].map { FaultKind.replyCut(bytes: $0) }
            let outcome = try await play(requests + replies)
            outcome.expectKept()
            for bytes in [0, 1, 12, 60] {
                #expect(outcome[.replyCut(bytes: bytes)]?.rung == "access_token", "\(bytes) bytes of the reply")
            }
            #expect(outcome[.replyCut(bytes: 10_000)]?.rung == nil)
        }
    }
}
