import FaultKit
import Testing

/// What happens to the database and the way to it, at every step.
@Suite(.serialized) struct DatabaseFaultTests {
    private let steps = FaultKind.Step.allCases

    @Test func theSessionThatHoldsTheRowKilledAtAnyStepSpendsNothingTwice() async throws {
        let held: [FaultKind.Step] = [.rowHeld, .sending, .replied, .spooled, .parsed]
        expectKept(try await FaultMatrix().run(held.map { .sessionKilled($0) } + [.sessionKilledInFlight]))
    }

    @Test func connectionsCutAtAnyStepLoseNothing() async throws {
        expectKept(try await FaultMatrix().run(steps.map { .connectionCut($0) }))
    }

    @Test func anAnswerToACommitThatIsLostIsNotMistakenForAFailure() async throws {
        let results = try await FaultMatrix(isSerial: true).run([
            .answerLost(.prepared), .answerLost(.intentCommitted), .answerLost(.parsed),
        ])
        expectKept(results)
        // The save went through: the exchange was neither repeated nor recovered.
        #expect(results[2].exchanges == 1)
        #expect(results[2].rung == nil)
    }

    @Test func aRestartAtAnyStepLosesNothing() async throws {
        expectKept(try await FaultMatrix(isSerial: true).run(steps.map { .restart($0) }))
    }
}
