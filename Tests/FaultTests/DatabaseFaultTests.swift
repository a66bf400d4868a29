import FaultKit
import Testing
import TokenVault

extension FaultTests {
    /// What happens to the database and the way to it, at every step.
    @Suite struct DatabaseFaultTests {
        private let steps = FaultKind.Step.allCases

        @Test func sessionsKilledAndConnectionsCutAtAnyStepSpendNothingTwice() async throws {
            let killed = FaultKind.Step.holding.map { FaultKind.sessionKilled($0) } + [.sessionKilledInFlight]
            let outcome = try await play(killed + steps.map { .connectionCut($0) })
            outcome.expectKept()
            // The answer was here: it was saved over another connection, without a second POST.
            let answered: [FaultKind] = [
                .sessionKilled(.replied), .sessionKilled(.spooled), .sessionKilled(.parsed), .sessionKilledInFlight,
                .connectionCut(.replied), .connectionCut(.spooled), .connectionCut(.parsed),
            ]
            for fault in answered {
                #expect(outcome[fault]?.posts == 1, "\(fault.name)")
                #expect(outcome[fault]?.ambiguous == 0, "\(fault.name)")
            }
        }

        @Test func anAnswerToACommitThatIsLostIsNotMistakenForAFailure() async throws {
            let faults: [FaultKind] = [.answerLost(.prepared), .answerLost(.intentCommitted), .answerLost(.parsed)]
            let outcome = try await play(faults)
            outcome.expectKept()
            for result in outcome.results {
                #expect(result.posts == 1, "\(result.trial.fault.name)")
                #expect(result.lines.map(\.outcome) == ["saved"], "\(result.trial.fault.name)")
            }
        }

        @Test func aRestartAtAnyStepLosesNothing() async throws {
            let outcome = try await play(lanes: [steps.map { .restart($0) }])
            outcome.expectKept()
            for step in [FaultKind.Step.replied, .spooled, .parsed] {
                #expect(outcome[.restart(step)]?.posts == 1, "\(step.rawValue)")
            }
        }
    }
}
