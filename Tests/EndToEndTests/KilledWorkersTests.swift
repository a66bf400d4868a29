import FakePitchly
import Foundation
import LeaseholdCore
import TestSupport
import Testing

@testable import LeaseholdCLI

extension EndToEndTests {
    @Suite struct KilledWorkersTests {
        /// Every second for 30 seconds a random one of three workers is killed with SIGKILL and another
        /// takes its place, while 2 000 jobs run and short-lived tokens rotate.
        @Test func everyJobEndsOnceAndNoTokenIsPresentedTwice() async throws {
            try await World.with {
                $0.data.organizations = 20
                // Due while workers are killed, and still valid when the deadline of an exchange whose worker
                // died has passed: what the early refresh is for.
                $0.oauth.accessTokenSeconds = 60
                $0.latency = .milliseconds(150)
            } _: { world in
                let tenants = try await world.connectTenants()
                try await world.enqueue(100, "pitchly.sync", for: tenants)
                let random = RandomSource(seed: 20_26)
                let slots = [
                    "LEASEHOLD_WORKER_CONCURRENCY": "8", "LEASEHOLD_PITCHLY_EXCHANGE_DEADLINE_SECONDS": "5",
                    "LEASEHOLD_PITCHLY_SERVER_TIME_LIMIT_SECONDS": "1",
                ]
                var workers = try (1...3).map { try world.startWorker("w\($0)", environment: slots) }
                let clock = ContinuousClock()
                let start = clock.now
                for kill in 1...30 {
                    try await clock.sleep(until: start + .seconds(kill))
                    let victim = Int(random.next() % UInt64(workers.count))
                    workers[victim].send(signal: SIGKILL)
                    workers[victim] = try world.startWorker("w\(3 + kill)", environment: slots)
                }
                try await world.wait(
                    for: "every job to end",
                    limit: .seconds(240),
                    "select count(*) from leasehold.job"
                ) { $0 == 0 }

                let syncs = "from leasehold.job_history where kind = 'pitchly.sync'"
                #expect(try await world.count("select count(*) \(syncs)") == 2_000)
                #expect(try await world.count("select count(distinct job_id) \(syncs)") == 2_000)
                // One that three workers died under is given up, by rule: so unlucky some may be on a slow machine.
                #expect(try await world.count("select count(*) \(syncs) and outcome <> 'completed' and kills < 3") == 0)
                #expect(try await world.count("select count(*) \(syncs) and outcome = 'completed'") > 1_900)
                // The kills were felt: otherwise this test would prove nothing.
                #expect(try await world.count("select count(*) from leasehold.job_attempt where outcome = 'kill'") > 0)
                let totals = world.pitchly.ledger().totals
                #expect(totals.presentedTwice == 0)
                // Every tenant was connected by one exchange; the rest are rotations.
                #expect(totals.posts > 20)
                #expect(
                    try await world.count(
                        "select count(*) from leasehold.credential where state = 'needs_authorization'"
                    ) == 0
                )
            }
        }
    }
}
