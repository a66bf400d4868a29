import FakePitchly
import FaultKit
import LeaseholdCore
import TestSupport
import Testing
import TokenVault

extension FaultTests {
    /// The audit would tell: worlds in which the promises cannot be kept.
    @Suite struct SabotageTests {
        @Test func aSpoolThatDiesWithItsWorkerIsAFalseVerdict() async throws {
            let outcome = try await play([.kill(.spooled), .kill(.parsed)]) {
                $0.sabotage = .spool
                $0.allowsAccessTokenExchange = false
                $0.accessTokenSeconds = 30
            }
            #expect(outcome.results.map(\.end) == [.falseVerdict, .falseVerdict])
            #expect(outcome.report.total.falseNeedsAuthorization == 2)
            #expect(!outcome.report.holds(mayLose: true))
        }

        @Test func intentsThatAreForgottenArePresentationsThatAreSeen() async throws {
            let outcome = try await play([.kill(.replied), .killInFlight]) {
                $0.sabotage = .memory
                $0.accessTokenSeconds = 30
            }
            #expect(outcome.report.total.presentedTwice >= 2)
            #expect(!outcome.report.holds(mayLose: false))
        }

        @Test func aGraceThatIsNotThereIsALoss() async throws {
            let outcome = try await play([.closedAfter, .slowerThanDeadline]) {
                $0.sabotage = .grace
                $0.accessTokenSeconds = 30
            }
            #expect(outcome.report.total.lost == 2)
            #expect(!outcome.report.holds(mayLose: false))
        }
    }

    @Suite struct ChaosTests {
        @Test func theSameSeedMakesTheSameFaults() {
            let plan = TrialPlan(exchanges: 2000, seed: 7)
            #expect(plan.trials == TrialPlan(exchanges: 2000, seed: 7).trials)
            #expect(plan.trials != TrialPlan(exchanges: 2000, seed: 8).trials)
            // A longer run begins as a shorter one does.
            #expect(Array(plan.trials.prefix(100)) == TrialPlan(exchanges: 100, seed: 7).trials)
            #expect(Set(plan.trials.map(\.fault.family)).count == 19)
        }

        @Test func aShortRunOfAllFaultsKeepsEveryPromise() async throws {
            let trials = TrialPlan(exchanges: 120, seed: 3).lanes(40)
            let report = try await stage(
                {
                    $0.tenants = 40
                    $0.workers = 4
                    $0.exchangesPerWorker = 4
                },
                { stage in
                    try await stage.server.withStandby { standby in
                        try await ChaosRun(stage, promoting: standby).play(trials)
                    }
                }
            )
            #expect(report.holds(mayLose: false), "\(report.violations)\n\(report.table)")
            #expect(report.total.exchanges == 120)
        }
    }
}
