import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

/// What wakes a worker that is about to sleep. The clock stands still, so that a wake that gets lost is
/// made up for by nothing, and the test does not end.
@Suite(.timeLimit(.minutes(4))) struct WorkerWakeTests {
    /// A claim of the sleeper has read the letters and waits for a lane. A job is enqueued: its notification
    /// overtakes the claim's answer, which knows nothing of the job.
    @Test func `A notification that comes before the answer of a claim that missed its job is not lost`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k") { _ in .completed }
        try await withWorker(make) { bench in
            await bench.event("worker_asleep")
            let id = try await bench.pool.withTransaction { holding in
                // A lane with nothing in it, in other hands.
                try await bench.sql(
                    """
                    insert into leasehold.lane (tenant_id, queue, vt, low_priority, low_place)
                    values ('t1', 'default', 1, 0, 0)
                    """
                )
                try await holding.query(sql: "select from leasehold.lane for update")
                try await bench.sql("select pg_notify('leasehold_wake', 'default')")
                await bench.event("worker_woken")
                try await bench.untilOneWaits()
                let id = try await bench.enqueue("k")
                await bench.event("worker_woken")
                return id
            }
            #expect(try await bench.settled(id).summary.state == .completed)
        }
    }

    /// riverqueue/river 1358: the notification of a cancel request is lost with the connection it would have
    /// come by. Whoever listens anew asks for what it may have missed.
    @Test func `A cancel request that nobody heard is asked for when the connection is back`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k") { _ in
            await WakeSignal().wait()
            throw CancellationError()
        }
        try await withWorker(make) { bench in
            await bench.event("notifications_on")
            let id = try await bench.enqueue("k")
            await bench.handlerBegins()
            try await bench.pool.withTransaction { connection in
                try await connection.query(sql: "set local session_replication_role = replica")
                try await connection.query(
                    sql: "insert into leasehold.job_cancel (job_id, reason) values ($1, 'not wanted')",
                    id.rawValue
                )
            }
            try await bench.sql(
                """
                select pg_terminate_backend(pid) from pg_stat_activity
                where datname = current_database() and query ilike 'listen %'
                """
            )
            #expect(try await bench.settled(id).summary.state == .cancelled)
        }
    }
}

extension WorkerBench {
    fileprivate func sql(_ text: String) async throws {
        try await pool.withConnection { _ = try await $0.query(sql: text) }
    }

    /// Returns when a statement waits for a lock that somebody holds.
    fileprivate func untilOneWaits() async throws {
        let waiting = """
            select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            """
        while try await pool.withConnection({ try await $0.query(sql: waiting).only.decode(0, as: Int64.self) }) == 0 {}
    }
}
