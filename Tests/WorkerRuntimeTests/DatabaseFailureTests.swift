import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

@Suite(.timeLimit(.minutes(4))) struct DatabaseFailureTests {
    /// What the server really raises for a statement.
    private func failure(of sql: String) async throws -> any Error {
        try await withDatabase { database in
            do {
                try await database.pool().withConnection { _ = try await $0.query(sql: sql) }
            } catch {
                return error
            }
            throw TestSupportError(label: "no_failure", message: "expected the statement to fail")
        }
    }

    @Test(arguments: [
        "select 1 / 0", "select 'x'::text::int", "insert into leasehold.tenant (tenant_id) values (null)",
    ])
    func `Data that the database refuses is blamed`(sql: String) async throws {
        let error = try await failure(of: sql)
        #expect(blamesData(error))
        #expect(!isAway(error))
    }

    @Test(arguments: [
        "select pg_terminate_backend(pg_backend_pid())",
        "select no_such_function()",
    ])
    func `What may pass is not blamed on the data`(sql: String) async throws {
        #expect(!blamesData(try await failure(of: sql)))
    }

    @Test func `A lost connection, a missing answer and a cancelled statement are the database being away`()
        async throws
    {
        #expect(isAway(try await failure(of: "select pg_terminate_backend(pg_backend_pid())")))
        #expect(isAway(NoAnswer(to: "claim", within: .seconds(10))))
        #expect(isAway(CancellationError()))
        #expect(!isAway(try await failure(of: "select no_such_function()")))
    }

    /// Ended jobs are refused as a full disk refuses them, `times` over; a sequence counts also in
    /// transactions that fail.
    private func fillDisk(of bench: WorkerBench, times: Int) async throws {
        try await bench.pool.withConnection { connection in
            try await connection.run(
                script: """
                    create sequence public.refusals;
                    create function public.refuse() returns trigger language plpgsql as $$
                    begin
                        if nextval('public.refusals') <= \(times) then
                            raise exception 'could not extend file: no space left' using errcode = 'disk_full';
                        end if;
                        return new;
                    end $$;
                    create trigger refuse before insert on leasehold.job_history
                        for each row execute function public.refuse();
                    """
            )
        }
    }

    @Test func `A full disk delays the outcomes of completed jobs and never makes them run again`() async throws {
        var make = WorkerMake()
        let runs = Locked(0)
        try make.on("k") { _ in
            runs.withLock { $0 += 1 }
            return .completed
        }
        try await withWorker(make) { bench in
            try await fillDisk(of: bench, times: 5)
            let job = try await bench.settled(try await bench.enqueue("k"))
            #expect(job.summary.state == .completed)
            #expect(job.summary.attempt == 1)
            #expect(job.attempts.isEmpty, "no attempt is noted as failed")
            #expect(!bench.events.all.contains { $0.name == "settle_refused" })
            #expect(try await refusals(bench) > 5, "the disk was full")
        }
        #expect(runs.value == 1)
    }

    private func refusals(_ bench: WorkerBench) async throws -> Int {
        try await bench.pool.withConnection { connection in
            try await connection.query(sql: "select last_value from public.refusals").only.decode(0, as: Int.self)
        }
    }

    @Test func `A look for strays that the database did not answer is repeated before the next claim`() async throws {
        var make = WorkerMake()
        make.settings.reconcileInterval = .seconds(3)
        let clock = make.freeze()
        try make.on("k") { _ in .completed }
        let other = QueueName(rawValue: "other")!
        try await withWorker(make) { bench in
            let worker = try await bench.registered()
            await bench.event("worker_asleep")
            let stray = try await bench.enqueue("k", queue: other)
            let claim = ClaimRequest(worker: worker, queues: [other], limit: 1)
            #expect(try await bench.queue.claim(claim).map(\.id) == [stray])
            try await bench.pool.withTransaction { connection in
                _ = try await connection.query(sql: "lock table leasehold.lease in access exclusive mode")
                clock.advance(by: .seconds(3))
                try await cutOffWhoeverWaits(connection)
                await bench.event("reconcile_failed")
            }
            await clock.sleepers(1)
            // Less than the interval, more than the pause after one failure.
            clock.advance(by: .seconds(1))
            await bench.event("stray_jobs_handed_back")
            #expect(try await bench.queue.show(stray).summary.state == .ready)
        }
    }

    /// Ends the session that waits for a lock on the leases, once there is one.
    private func cutOffWhoeverWaits(_ connection: PostgresConnection) async throws {
        let sql = """
            select pg_terminate_backend(pid) from pg_locks
            where relation = 'leasehold.lease'::regclass and not granted
            """
        while try await connection.query(sql: sql).isEmpty {}
    }
}
