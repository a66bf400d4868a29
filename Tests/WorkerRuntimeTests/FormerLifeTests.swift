import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

/// A worker behind a cable that is pulled out and put back: what becomes of the jobs of the life that
/// lapsed meanwhile.
@Suite(.timeLimit(.minutes(4))) struct FormerLifeTests {
    private static let other = QueueName(rawValue: "other")!

    /// A worker that reaches the database by `cable` only; the test has its own way.
    private func withCutWorker(
        _ make: WorkerMake,
        _ body: (WorkerBench, _ cable: TCPProxy) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            let (folder, port) = try await database.socket()
            let cable = try TCPProxy(to: .unix(path: "\(folder)/.s.PGSQL.\(port)"))
            defer { cable.close() }
            var make = make
            let url =
                "postgresql://postgres@127.0.0.1:\(cable.port)/\(database.name)?sslmode=disable&gssencmode=disable"
            make.configure = { $0.url = url }
            try await withWorker(make, on: database) { try await body($0, cable) }
        }
    }

    /// A job that the database counts as running in the worker's life, which never hears of it: what
    /// a claim leaves behind whose answer is lost.
    private func claimUnheard(by worker: WorkerID, _ bench: WorkerBench) async throws -> JobID {
        let id = try await bench.enqueue("k", queue: Self.other)
        let claim = ClaimRequest(worker: worker, queues: [Self.other], limit: 1)
        #expect(try await bench.queue.claim(claim).map(\.id) == [id])
        return id
    }

    private func lives(_ bench: WorkerBench) async throws -> [WorkerID] {
        try await bench.pool.withConnection { connection in
            try await connection.query(sql: "select worker_id from leasehold.worker order by started_at")
                .map { WorkerID(rawValue: try $0.decode("worker_id")) }
        }
    }

    @Test func `After a cut the jobs of the former life go back at once, and those that still run when they end`()
        async throws
    {
        var make = WorkerMake()
        let clock = make.freeze()
        let end = WakeSignal()
        let starts = Locked(0)
        try make.on("k") { _ in
            starts.withLock { $0 += 1 }
            // Deaf: waits in a task of its own, which the cancellation does not reach.
            await Task { await end.wait() }.value
            return .completed
        }
        // The clock goes on while the database answers: far apart, so that no answer comes too late.
        make.settings.lapse = .seconds(600)
        make.settings.heartbeatInterval = .seconds(120)
        let settings = make.settings
        try await withCutWorker(make) { bench, cable in
            defer { end.give() }
            let former = try await bench.registered()
            let mine = try await bench.enqueue("k")
            await bench.event("job_started")
            let unheard = try await claimUnheard(by: former, bench)

            cable.set(.hold)
            clock.advance(by: settings.lapse - settings.stopMargin)
            await bench.event("worker_lapsed")
            cable.heal()
            guard case .registered(let present) = try await bench.event("worker_registered", advancing: clock) else {
                return
            }
            try await bench.event("stray_jobs_handed_back", advancing: clock)
            let back = try await bench.queue.show(unheard)
            #expect(back.summary.state == .ready)
            #expect(back.summary.attempt == 0)
            // It runs in this process, so nobody may have it.
            #expect(try await bench.queue.show(mine).summary.state == .running)
            #expect(try await lives(bench) == [former, present])

            end.give()
            try await bench.event("former_life_ended", advancing: clock)
            #expect(try await lives(bench) == [present])
            let record = try await bench.queue.show(mine)
            #expect(record.summary.state == .completed)
            #expect(record.kills == 0)
        }
        #expect(starts.value == 1)
    }

    @Test(arguments: [false, true])
    func `A worker that is stopped right after a cut leaves nothing to rescue`(knowsNoNewLife: Bool) async throws {
        var make = WorkerMake()
        let clock = make.freeze()
        try make.on("k") { _ in .completed }
        let settings = make.settings
        try await withDatabase { database in
            let id = try await withWorker(make, on: database) { bench in
                let former = try await bench.registered()
                await bench.event("worker_asleep")
                let id = try await claimUnheard(by: former, bench)
                try await bench.pool.withTransaction { connection in
                    _ = try await connection.query(sql: "lock table leasehold.worker in access exclusive mode")
                    clock.advance(by: settings.lapse - settings.stopMargin)
                    await bench.event("worker_lapsed")
                    if knowsNoNewLife { try await bench.event("worker_registration_failed", advancing: clock) }
                    // From now on nothing is claimed, and so nothing is handed back between claims.
                    bench.worker.stop()
                }
                return id
            }
            let pool = database.pool(size: 1)
            #expect(
                try await JobQueue(pool: pool, logger: database.log.logger("queue")).show(id).summary.state == .ready
            )
        }
    }
}
