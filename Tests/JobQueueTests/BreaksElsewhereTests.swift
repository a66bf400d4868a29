import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import SQLFiles
import Testing

/// Sequences that broke other queues on PostgreSQL, step by step. Each names where it was reported; the
/// table in sql/README.md also lists those that other suites hold.
@Suite struct BreaksElsewhereTests {
    /// rails/solid_queue PR 761: a worker that was thought dead ends its job and frees its place a second
    /// time; a job with a limit of 1 ran eleven times at once.
    @Test func aZombieDoesNotFreeThePlaceOfTheNextRun() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            try await world.limit(.tenant, running: 1)
            _ = try await world.queue.enqueue((1...5).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            let zombie = try await world.addWorker()
            let stale = try #require(try await world.claim(zombie).first)
            try await world.lapse(zombie)
            #expect(try await world.queue.rescue().count == 1)
            let other = try await world.addWorker()
            #expect(try await world.claim(other, 10).count == 1)
            #expect(try await world.settle(stale, .completed) == .leaseLost)
            #expect(try await world.queue.unregister(zombie) == 0)
            #expect(try await world.claim(other, 10).isEmpty)
            #expect(try await world.number("select count(*) from leasehold.job where state = 'running'") == 1)
        }
    }

    /// riverqueue/river 1302: the rescue reads stuck jobs and then updates them by id alone; one that
    /// completes in between is pushed back and runs again.
    @Test func aRescueThatMeetsTheLastSettleOfAJobDoesNotRunItAgain() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let job = try #require(try await world.claim(worker).first)
            try await world.lapse(worker)
            let rescuing = try await world.pool.withTransaction { connection in
                try await connection.query(
                    sql: "select * from leasehold.job_settle(array[$1], array[$2], '{complete}')",
                    job.id.rawValue,
                    job.run.rawValue
                )
                // Outlives the transaction on purpose: it waits for the lock that ends with it.
                let rescuing = Task { try await world.queue.rescue() }
                try await world.untilOneWaits()
                return rescuing
            }
            #expect(try await rescuing.value.isEmpty)
            #expect(try await world.number("select count(*) from leasehold.job") == 0)
            #expect(try await world.number("select count(*) from leasehold.job_history") == 1)
        }
    }

    /// riverqueue/river 1358: a cancel goes by NOTIFY alone, and is lost while the listener reconnects.
    @Test func aCancelWhoseNotificationNobodyHeardIsReadAtEveryHeartbeat() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let job = try #require(try await world.claim(worker).first)
            _ = try await world.queue.cancel(job.id)
            for _ in 1...3 {
                #expect(try await world.queue.heartbeat(worker).cancelRequested.map(\.job) == [job.id])
            }
            #expect(try await world.settle(job, .retry(reason: "stopped", after: .zero)) == .settled(.cancelled))
            #expect(try await world.queue.heartbeat(worker).cancelRequested.isEmpty)
        }
    }

    /// rails/solid_queue 456: an enqueue sees the limit full, the last run ends and finds nobody to let
    /// go, the enqueue commits; the job waits beside a free place.
    @Test func aPlaceThatBecomesFreeWhileAnEnqueueIsOpenIsUsedAfterItsCommit() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.limit(.tenant, running: 1)
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let first = try await world.claim(worker, 10)
            let late = try await world.pool.withTransaction { connection in
                let late = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                try await world.complete(first)
                #expect(try await world.claim(worker, 10).isEmpty)
                return late
            }
            #expect(try await world.claim(worker, 10).map(\.id) == late.map(\.id))
        }
    }

    /// triggerdotdev/trigger.dev PR 4367: a key with nothing but future work held the floor at 0, so that
    /// a newcomer was served twenty times out of twenty.
    @Test(arguments: ["future", "paused", "full"])
    func aTenantThatCannotBeServedDoesNotHoldDownTheFloor(reason: String) async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("held", "steady", "new")
            let worker = try await world.addWorker()
            try await world.fill(tenants[0], jobs: 3)
            try await world.fill(tenants[1], jobs: 2000)
            if reason == "full" { try await world.limit(.tenant, running: 1, of: "held") }
            let held = try await world.claim(worker, 6).filter { $0.tenant == tenants[0] }
            switch reason {
            case "future":
                try await world.complete(held)
                _ = try await world.queue.enqueue(
                    JobRequest(tenant: tenants[0], kind: .noop, runAt: .now.addingTimeInterval(86_400))
                )
            case "paused":
                try await world.sql("update leasehold.tenant set state = 'paused' where tenant_id = 'held'")
            default: #expect(held.count == 1)
            }
            for _ in 1...20 { try await world.complete(world.claim(worker, 40).filter { $0.tenant != tenants[0] }) }
            try await world.fill(tenants[2], jobs: 1000)
            var served: [TenantID: Int] = [:]
            for _ in 1...10 {
                let jobs = try await world.claim(worker, 20)
                for job in jobs { served[job.tenant, default: 0] += 1 }
                try await world.complete(jobs)
            }
            // The newcomer begins where the last claim began, so it is ahead by that claim's 40 jobs and no
            // more; from a floor at 0 it would be ahead by all 800.
            #expect(served[tenants[1], default: 0] >= 80, "\(served)")
            #expect(served[tenants[2], default: 0] >= 80, "\(served)")
        }
    }

    /// oban-bg/oban 603: a unique job whose process died stays executing and blocks every later insert.
    @Test func aUniqueJobOfADeadWorkerDoesNotBlockItsKey() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let dead = try await world.addWorker()
            let request = JobRequest(tenant: tenant, kind: .noop, maxAttempts: 1, uniqueKey: "one")
            let first = try await world.queue.enqueue(request)
            #expect(try await world.claim(dead).map(\.id) == [first.id])
            #expect(try await world.queue.enqueue(request) == EnqueuedJob(id: first.id, wasExisting: true))
            try await world.lapse(dead)
            #expect(try await world.queue.rescue().map(\.fate) == [.discarded])
            let second = try await world.queue.enqueue(request)
            #expect(!second.wasExisting)
            #expect(try await world.claim(try await world.addWorker()).map(\.id) == [second.id])
        }
    }

    /// graphile/worker 254: a named queue stays locked for good when its job fails for the last time.
    @Test func aSequenceKeyIsFreeWhenItsJobHasFailedForTheLastTime() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let ids = try await world.queue.enqueue(
                (1...3).map { _ in JobRequest(tenant: tenant, kind: .noop, maxAttempts: 1, sequenceKey: "k") }
            ).map(\.id)
            let dead = try await world.addWorker()
            #expect(try await world.claim(dead).map(\.id) == [ids[0]])
            try await world.lapse(dead)
            #expect(try await world.queue.rescue().map(\.fate) == [.discarded])
            let worker = try await world.addWorker()
            let second = try await world.claim(worker)
            #expect(second.map(\.id) == [ids[1]])
            #expect(try await world.settle(second[0], .retry(reason: "x")) == .settled(.discarded))
            #expect(try await world.claim(worker).map(\.id) == [ids[2]])
        }
    }

    /// graphile/worker 621: a prefetch takes several jobs of a named queue, which then run at once.
    @Test func aLargeClaimHoldsOneJobOfASequenceKey() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(
                (0..<100).map { JobRequest(tenant: tenant, kind: .noop, sequenceKey: "k\($0 % 10)") }
            )
            var ended = 0
            while ended < 100 {
                var held: [ClaimedJob] = []
                // Two prefetches in a row: what the first holds bars the second.
                for _ in 1...2 { held += try await world.claim(worker, 500) }
                try #require(held.count == 10)
                try await world.complete(held)
                ended += held.count
            }
        }
    }

    /// oban-bg/oban 1488: a leader that has been replaced fires every cron once more. Here nobody leads, and a
    /// slot is fired by whoever moves its turn on: not by one who looked before, nor with a clock that is slow.
    @Test func aWorkerThatStillSeesASlotAsDueDoesNotFireItAgain() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("t1", "t2")
            var request = ScheduleRequest(
                name: "s",
                kind: .noop,
                rhythm: .cron("*/10 * * * *", timeZone: "UTC"),
                audience: .activeTenants
            )
            request.overlaps = true
            try await world.queue.addSchedule(request)
            let due = Date().addingTimeInterval(601)
            let next = due.addingTimeInterval(600)
            func fire(at moment: Date, _ connection: PostgresConnection) async throws -> Int32 {
                let call = "select jobs from leasehold.schedule_fire(500, null, '\(moment.ISO8601Format())')"
                return try await connection.query(sql: call).only.decode(0)
            }
            try await world.pool.withTransaction { first in
                let fired = try await fire(at: due, first)
                #expect(fired == 2)
                // It is suspended before its commit, and another takes its place.
                #expect(try await world.fire(at: due) == 0)
            }
            await #expect(throws: PostgresError.self, "what it saw is over") {
                try await world.pool.withTransaction(PostgresTransactionOptions(isolation: .repeatableRead)) { former in
                    try await former.query(sql: "select count(*) from leasehold.schedule_turn")
                    #expect(try await world.fire(at: next) == 2)
                    _ = try await fire(at: next, former)
                }
            }
            #expect(try await world.fire(at: due) == 0, "a clock that is slow")
            let slots = try await world.number("select count(distinct (tenant_id, run_at)) from leasehold.job")
            #expect(slots == 2 * tenants.count)
            #expect(try await world.number("select count(*) from leasehold.job") == slots)
        }
    }

    /// riverqueue/river 746: counting jobs by state read millions of rows every few seconds. What a worker and the
    /// lists of queues and kinds ask does not grow with the jobs that wait, nor with those that ended.
    @Test func whatIsAskedAllTheTimeReadsNoMoreJobsHoweverManyThereAre() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants((1...20).map { "t\($0)" })
            let worker = try await world.addWorker()
            var read: [Int64] = []
            for jobs in [50, 1000] {
                for tenant in tenants { try await world.fill(tenant, jobs: jobs) }
                try await world.complete(world.claim(worker, 100))
                read.append(
                    try await world.rowsOfJobsRead { connection in
                        try await connection.query(.queueList, nil as String?)
                        try await connection.query(.kindList, nil as String?)
                        try await connection.query(.workerOutlook)
                        try await connection.query(.workerHeartbeat, worker.rawValue, nil as Date?)
                    }
                )
            }
            #expect(read[1] <= read[0] + 1000, "\(read) rows and index entries of jobs read")
        }
    }

    /// pgqueuer 761: count, then claim: two workers at once exceed a limit of 1. The history proves it for
    /// every run: no two of a tenant overlap in more places than there are.
    @Test func theHistoryShowsThatNoLimitWasExceeded() async throws {
        try await withWorld(size: 6) { world in
            let tenants = try await world.addTenants("a", "b", "c")
            try await world.sql("update leasehold.tenant set max_running = 3")
            for tenant in tenants { try await world.fill(tenant, jobs: 400) }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 1...2 {
                    let worker = try await world.addWorker()
                    for _ in 1...2 {
                        group.addTask {
                            while try await world.number("select count(*) from leasehold.job") > 0 {
                                let jobs = try await world.claim(worker, 5)
                                _ = try await world.queue.settle(
                                    jobs.map { Settlement(job: $0.id, run: $0.run, outcome: .completed) }
                                )
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            let most = try await world.number(
                """
                select max(running) from (
                    select sum(step) over (partition by tenant_id order by at, step) as running
                    from (
                        select tenant_id, claimed_at as at, 1 as step from leasehold.job_history
                        union all
                        select tenant_id, ended_at, -1 from leasehold.job_history) as edge) as level
                """
            )
            #expect(try await world.number("select count(*) from leasehold.job_history") == 1200)
            #expect(most == 3)
        }
    }
}

extension QueueWorld {
    /// Rows and index entries of live and ended jobs that `body` reads, counted by the server.
    fileprivate func rowsOfJobsRead(_ body: (PostgresConnection) async throws -> Void) async throws -> Int64 {
        let counted = """
            select coalesce(sum(pg_stat_get_xact_tuples_returned(oid))::bigint, 0) from pg_class
            where relnamespace = 'leasehold'::regnamespace and relname ~ '^job(_history|_attempt|_lane|_due|_parked|_limited|_pkey|$)'
            """
        return try await pool.withConnection { connection in
            try await connection.query(sql: "begin")
            let before = try await connection.query(sql: counted).only.decode(0, as: Int64.self)
            try await body(connection)
            let after = try await connection.query(sql: counted).only.decode(0, as: Int64.self)
            try await connection.query(sql: "rollback")
            return after - before
        }
    }
}
