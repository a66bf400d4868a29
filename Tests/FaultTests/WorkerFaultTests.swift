import FaultKit
import Testing
import TokenVault

extension FaultTests {
    /// What happens to a worker process, at every step.
    @Suite struct WorkerFaultTests {
        private let steps = FaultKind.Step.allCases

        @Test func aWorkerKilledAtAnyStepLosesNothing() async throws {
            let outcome = try await play(steps.map { .kill($0) } + [.killInFlight])
            outcome.expectKept()
            // Before the POST another worker takes over, and after the first write it reads the spool.
            #expect(outcome[.kill(.prepared)]?.posts == 1)
            #expect(outcome[.kill(.spooled)]?.rung == "spool")
            #expect(outcome[.kill(.parsed)]?.rung == "spool")
            #expect(outcome[.kill(.committed)]?.posts == 1)
            // In between the answer is gone for good.
            for fault: FaultKind in [.kill(.intentCommitted), .kill(.sending), .kill(.replied), .killInFlight] {
                #expect(outcome[fault]?.rung == "access_token", "\(fault.name)")
            }
        }

        @Test func withoutTheLadderOnlyDeathBeforeTheFirstWriteLosesAToken() async throws {
            let outcome = try await play(steps.map { .kill($0) } + [.killInFlight]) {
                $0.allowsAccessTokenExchange = false
                $0.accessTokenSeconds = 30
            }
            outcome.expectLost { $0 == .kill(.replied) || $0 == .killInFlight }
            // Never presented: the late probe finds out.
            for fault: FaultKind in [.kill(.intentCommitted), .kill(.rowHeld), .kill(.sending)] {
                #expect(outcome[fault]?.rung == "late_probe", "\(fault.name)")
            }
        }

        @Test func aWorkerThatStandsStillPastItsDeadlineLosesNothing() async throws {
            let faults =
                steps.map { FaultKind.stop($0) } + [.stopInFlight] + FaultKind.Step.holding.map { .stopAndCut($0) }
            // Each stands still for as long as an intent lasts, so there must be many.
            try await play(faults) { $0.workers = 8 }.expectKept()
        }

        @Test func whatComesWhileAWorkerStandsStillIsSavedWithoutASecondPOST() async throws {
            let answered: [FaultKind] = [
                .stopInFlight, .stopInFlight, .stopInFlight, .stop(.replied), .stop(.spooled), .stop(.parsed),
            ]
            let outcome = try await play(answered) {
                $0.workers = 6
                $0.allowsAccessTokenExchange = false
                $0.accessTokenSeconds = 30
            }
            outcome.expectKept()
            for result in outcome.results {
                #expect(result.posts == 1, "\(result.trial.fault.name)")
                #expect(result.lines.map(\.outcome) == ["saved"], "\(result.trial.fault.name)")
            }
        }

        @Test func aWorkerToldToEndSettlesItsExchangeFirst() async throws {
            let outcome = try await play(steps.map { .terminate($0) })
            outcome.expectKept()
            for result in outcome.results {
                #expect(result.posts == 1, "\(result.trial.fault.name)")
                #expect(result.ambiguous == 0, "\(result.trial.fault.name)")
            }
        }
    }
}
