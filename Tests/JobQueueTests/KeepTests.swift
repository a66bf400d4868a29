import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import Testing

/// House-keeping: what prune removes and what it leaves alone, and what reconcile repairs.
@Suite struct KeepTests {
    /// Also timgit/pg-boss 521: a retention that removed a million waiting jobs.
    @Test func pruneDropsOldDaysAndKeysAndLeavesWaitingJobsAlone() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let ids = try await world.queue.enqueue(
                [
                    JobRequest(tenant: tenant, kind: .noop, idempotencyKey: "old"),
                    JobRequest(tenant: tenant, kind: .noop, runAt: .now.addingTimeInterval(86_400)),
                    JobRequest(tenant: tenant, kind: .noop, idempotencyKey: "young"),
                ]
            )
            try await world.sql("update leasehold.job set created_at = created_at - interval '5 years'")
            try await world.sql(
                """
                update leasehold.job_idempotency set created_at = created_at - interval '8 days'
                where idempotency_key = 'old'
                """
            )
            try await world.addHistory(daysAgo: 400)
            try await world.addHistory(daysAgo: 2)
            // The database may be a clone of one that was made on an earlier day, and a day may begin now.
            let today = try await world.sql("select to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDD')").only
                .decode(0, as: String.self)
            _ = try await world.queue.prune()
            #expect(try await world.number("select count(*) from leasehold.job") == 3)
            #expect(try await world.number("select count(*) from leasehold.job_history") == 1)
            let days = try await world.sql(
                "select right(inhrelid::regclass::text, 8) from pg_inherits where inhparent = 'leasehold.job_history'::regclass"
            ).map { try $0.decode(0, as: String.self) }
            #expect(days.count { $0 < today } <= 3, "two days ago, and those since then")
            #expect(days.count { $0 >= today } >= 3, "today and the two next")
            let keys = try await world.queue.enqueue(
                ["old", "young"].map { JobRequest(tenant: tenant, kind: .noop, idempotencyKey: $0) }
            )
            #expect(keys.map(\.wasExisting) == [false, true])
            #expect(keys[1].id == ids[2].id)
            #expect(try await world.queue.prune().values.allSatisfy { $0 == 0 })
        }
    }

    @Test func aDayThatSomebodyReadsIsLeftForTheNextPrune() async throws {
        try await withWorld { world in
            try await world.addHistory(daysAgo: 400)
            try await world.addHistory(daysAgo: 399)
            try await world.pool.withTransaction { reader in
                try await reader.query(sql: "select count(*) from leasehold.job_history")
                #expect(try await world.queue.prune()["partitions"] == 2, "of attempts, which nobody reads")
                #expect(try await world.number("select count(*) from leasehold.job_history") == 2)
            }
            #expect(try await world.queue.prune()["partitions"] == 2, "of jobs")
            #expect(try await world.number("select count(*) from leasehold.job_history") == 0)
        }
    }

    @Test func aDeadWorkerIsForgottenADayLaterAndALivingOneNever() async throws {
        try await withWorld { world in
            _ = try await world.addTenants("acme")
            let (dead, living) = (try await world.addWorker(), try await world.addWorker())
            try await world.lapse(dead)
            _ = try await world.queue.rescue()
            #expect(try await world.queue.prune()["workers"] == 0)
            try await world.sql("update leasehold.worker set lapsed_at = lapsed_at - interval '25 hours'")
            #expect(try await world.queue.prune()["workers"] == 1)
            #expect(try await world.queue.heartbeat(living).alive)
            #expect(try await world.queue.heartbeat(dead).alive == false)
        }
    }

    /// A letter and a lane that somebody deleted by hand: the jobs would wait for ever.
    @Test(arguments: ["wake", "lane"])
    func jobsThatNoLaneServesAreFoundAndServed(table: String) async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a", "b")
            let worker = try await world.addWorker()
            for tenant in tenants { try await world.fill(tenant, jobs: 20) }
            if table == "lane" { #expect(try await world.claim(worker, 4).count == 4) }
            try await world.sql("delete from leasehold.\(table)")
            #expect(try await world.claim(worker, 100).isEmpty)
            #expect(try await world.findings("0") == ["ready jobs that no lane serves": 2])
            #expect(try await world.findings("0") == [:], "told once")
            #expect(try await world.claim(worker, 100).count == (table == "lane" ? 36 : 40))
        }
    }

    @Test func aQueueAtWorkHasNothingToRepair() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a", "b", "c")
            let worker = try await world.addWorker()
            for tenant in tenants { try await world.fill(tenant, jobs: 50) }
            for _ in 1...10 {
                let jobs = try await world.claim(worker, 10)
                for (index, job) in jobs.enumerated() {
                    try await world.settle(job, index % 2 == 0 ? .completed : .retry(reason: "x", after: .zero))
                }
                #expect(try await world.findings("0") == [:])
            }
        }
    }

    @Test func jobsInTheLaneOfAnotherKindAreMoved() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.queue.limit(.noop, to: QueueLimits(maxRunning: 2))
            try await world.fill(tenant, jobs: 5)
            try await world.sql("update leasehold.job set lane_kind = ''")
            #expect(try await world.findings("1 hour") == ["jobs in the lane of another kind": 5])
            #expect(try await world.claim(worker, 10).count == 2)
        }
    }

    /// Nobody looks at such a lane.
    @Test func jobsInTheLaneOfAKindThatHasNoneAnyMoreAreMoved() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.fill(tenant, jobs: 31)
            #expect(try await world.claim(worker, 1).count == 1)
            try await world.sql("update leasehold.job set lane_kind = 'noop' where state = 'ready'")
            try await world.sql("update leasehold.lane set lane_kind = 'noop'")
            #expect(try await world.claim(worker, 100).isEmpty)
            #expect(try await world.findings("0") == ["jobs in the lane of another kind": 30])
            #expect(try await world.findings("0") == [:], "told once")
            #expect(try await world.number("select count(*) from leasehold.lane where lane_kind <> ''") == 0)
            #expect(try await world.claim(worker, 100).count == 30)
        }
    }

    @Test func aJobThatParkedAfterItsTenantWasLetGoIsLetGoToo() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.fill(tenant, jobs: 1)
            let job = try #require(try await world.claim(worker).first)
            try await world.settle(job, .park(reason: "no token"))
            // As an unpark leaves it that did not see the job.
            try await world.sql(
                "update leasehold.tenant_hold set released_at = clock_timestamp() where tenant_id = 'acme'"
            )
            #expect(try await world.findings("0") == ["parked jobs of tenants that are not held": 1])
            #expect(try await world.claim(worker).map(\.id) == [job.id])
        }
    }

    @Test func aCancelRequestOfAJobThatDoesNotRunEndsIt() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let id = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop)).id
            try await world.sql(
                "insert into leasehold.job_cancel (job_id, reason) values ($1, 'x'), (4711, 'gone')",
                id.rawValue
            )
            #expect(try await world.findings("0") == ["cancel requests of jobs that do not run": 1])
            #expect(try await world.state(id) == .cancelled)
            #expect(try await world.number("select count(*) from leasehold.job_cancel") == 0)
        }
    }
}

extension QueueWorld {
    /// What a sweep found, without the findings that were 0.
    fileprivate func findings(_ settledFor: String) async throws -> [String: Int] {
        let rows = try await sql(
            "select finding, found_count from leasehold.reconcile($1::text::interval) where found_count > 0",
            settledFor
        )
        return Dictionary(uniqueKeysWithValues: try rows.decode((String, Int64).self).map { ($0, Int($1)) })
    }

    /// One ended job of that day, in its partition.
    fileprivate func addHistory(daysAgo: Int) async throws {
        let day = "(clock_timestamp() at time zone 'UTC')::date - \(daysAgo)"
        try await sql("select leasehold.history_prepare(\(day), 1)")
        try await sql(
            """
            insert into leasehold.job_history (job_id, ended_at, created_at, run_at, run, waited_turn,
                waited_limit, waited_worker, waited_parked, priority, attempt, max_attempts, kills,
                tenant_id, queue, kind, outcome, args)
            select -\(daysAgo), at, at, at, 1, 0, 0, 0, 0, 0, 1, 1, 0, 'acme', 'default', 'noop',
                'completed', '{}'
            from (select (\(day) + time '12:00') at time zone 'UTC' as at) as a
            """
        )
    }
}
