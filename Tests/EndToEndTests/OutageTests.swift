import FakePitchly
import Foundation
import TestSupport
import Testing

@testable import LeaseholdCLI

extension EndToEndTests {
    /// The database goes away from real workers and a real server, and comes back.
    @Suite struct OutageTests {
        private static let syncs = "from leasehold.job_history where kind = 'pitchly.sync'"
        private static let jobs: Int64 = 300

        private func load(_ world: World, _ tenants: [String]) async throws {
            try await world.enqueue(Int(Self.jobs) / tenants.count, "pitchly.sync", for: tenants)
            try await world.wait(for: "some jobs to end", "select count(*) \(Self.syncs)") { $0 >= 20 }
        }

        private func expectEveryJobEndedOnce(_ world: World) async throws {
            try await world.wait(for: "every job to end", "select count(*) from leasehold.job") { $0 == 0 }
            #expect(try await world.count("select count(*) \(Self.syncs)") == Self.jobs)
            #expect(try await world.count("select count(distinct job_id) \(Self.syncs)") == Self.jobs)
            #expect(try await world.count("select count(*) \(Self.syncs) and outcome <> 'completed'") == 0)
            #expect(world.pitchly.ledger().totals.presentedTwice == 0)
        }

        @Test func afterARestartOfTheDatabaseWorkersGoOnByThemselves() async throws {
            try await OutageStage.with { stage, tenants in
                let world = stage.world
                try await load(world, tenants)
                try await stage.database.stop(mode: .fast)
                let refusal = try await stage.waitForReadiness(503)
                #expect(refusal.contains("\"name\":\"database and schema\",\"ok\":false"))
                #expect(try await stage.get("/live").status == 200)
                try await stage.database.start()
                try await stage.waitUntilReady()
                let back = try await world.count("select (extract(epoch from clock_timestamp()) * 1000)::bigint")
                try await expectEveryJobEndedOnce(world)

                // The same processes, both of them, and the views tell of it.
                #expect(stage.workers.allSatisfy { $0.process.isRunning })
                let since = "ended_at > to_timestamp(\(back) / 1000.0)"
                #expect(try await world.count("select count(distinct worker_id) \(Self.syncs) and \(since)") == 2)
                #expect(
                    try await world.count(
                        "select count(*) from leasehold_dashboard.worker_health where state in ('working', 'sleeping')"
                    ) == 2
                )
                #expect(
                    try await world.count(
                        "select coalesce(sum(completed), 0)::bigint from leasehold_dashboard.throughput_by_minute"
                    ) >= Self.jobs
                )
            }
        }

        @Test func whatAWorkerDidThatIsCutOffIsDoneByTheOtherAndSheComesBack() async throws {
            try await OutageStage.with { stage, tenants in
                let world = stage.world
                try await load(world, tenants)
                let cut = stage.workers[0]
                for member in [cut, stage.server] { member.cable.set(.hold) }
                let refusal = try await stage.waitForReadiness(503)
                #expect(refusal.contains("expected an answer within 3 s, got none"))
                #expect(try await stage.get("/live").status == 200)
                let lapsed =
                    "select count(*) from leasehold_dashboard.worker_health where name = 'w1' and state = 'lapsed'"
                try await world.wait(for: "the worker to be taken for dead", lapsed) { $0 == 1 }
                for member in [cut, stage.server] { member.cable.heal() }
                try await stage.waitUntilReady()
                try await world.wait(
                    for: "the worker to register anew",
                    """
                    select count(*) from leasehold_dashboard.worker_health
                    where name = 'w1' and state in ('working', 'sleeping')
                    """
                ) { $0 == 1 }
                try await expectEveryJobEndedOnce(world)

                #expect(stage.workers.allSatisfy { $0.process.isRunning })
                // Its runs were ended for it, which the views call so.
                let killed = "select count(*) from leasehold_dashboard.job_errors where error_label = 'worker_died'"
                #expect(try await world.count(killed) > 0)
            }
        }
    }
}
