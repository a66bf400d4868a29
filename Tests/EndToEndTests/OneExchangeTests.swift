import FakePitchly
import LeaseholdCore
import Postgres
import Testing

extension EndToEndTests {
    @Suite struct OneExchangeTests {
        @Test func hundredCallersInTwoWorkersMakeOnePost() async throws {
            try await World.with {
                $0.data.organizations = 1
                // Long enough for all hundred to want the token while the exchange is under way.
                $0.latency = .milliseconds(300)
            } _: { world in
                let tenants = try await world.connectTenants()
                let organization = world.pitchly.organizationIDs[0]
                let before = world.pitchly.ledger(organization: organization).totals
                _ = try await world.pool.withConnection { connection in
                    try await connection.query(
                        sql: """
                            update leasehold.credential
                            set access_issued_at = clock_timestamp() - interval '1 hour',
                                access_expires_at = clock_timestamp() - interval '1 minute'
                            """
                    )
                }
                try await world.enqueue(100, "pitchly.sync", for: tenants)
                for name in ["one", "two"] {
                    try world.startWorker(name, environment: ["LEASEHOLD_WORKER_CONCURRENCY": "50"])
                }
                try await world.wait(
                    for: "100 syncs to complete",
                    "select count(*) from leasehold.job_history where kind = 'pitchly.sync' and outcome = 'completed'"
                ) { $0 == 100 }

                let workers = try await world.count(
                    "select count(distinct worker_id) from leasehold.job_history where kind = 'pitchly.sync'"
                )
                #expect(workers == 2)
                let after = world.pitchly.ledger(organization: organization).totals
                #expect(after.posts - before.posts == 1)
                #expect(after.presentedTwice == 0)
                #expect(try await world.count("select generation from leasehold.credential") == 2)
            }
        }
    }
}
