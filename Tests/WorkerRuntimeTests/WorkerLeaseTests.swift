import JobQueue
import LeaseholdCore
import MetricsTestKit
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

@Suite(.timeLimit(.minutes(4))) struct WorkerLeaseTests {
    private static let other = QueueName(rawValue: "other")!

    /// Goes on until it is cancelled in its first run, completes in its second.
    private func handler(_ reasons: Locked<[StopReason?]>) -> JobHandler {
        { context in
            if context.job.run.rawValue > 1 { return .completed }
            await WakeSignal().wait()
            reasons.withLock { $0.append(context.stopReason) }
            throw CancellationError()
        }
    }

    @Test func `Jobs are cancelled before the lapse when no heartbeat can be written, and run again after`()
        async throws
    {
        var make = WorkerMake()
        let clock = make.freeze()
        let reasons = Locked<[StopReason?]>([])
        try make.on("k", handler(reasons))
        let settings = make.settings
        try await withWorker(make) { bench in
            let first = try await bench.registered()
            let id = try await bench.enqueue("k")
            await bench.handlerBegins()
            try await bench.pool.withTransaction { connection in
                _ = try await connection.query(sql: "lock table leasehold.worker in access exclusive mode")
                clock.advance(by: settings.lapse - settings.stopMargin)
                await bench.event("worker_lapsed")
                await bench.event("job_stopped")
            }
            guard case .registered(let second) = try await bench.event("worker_registered", advancing: clock) else {
                Issue.record("expected the event to carry the id")
                return
            }
            #expect(second != first, "a new life has a new id")
            _ = try await bench.settled(id)
            let job = try await bench.settled(id)
            #expect(job.summary.state == .completed)
            #expect(job.summary.attempt == 1, "the lost run is not counted")
        }
        #expect(reasons.value == [.leaseLost])
    }

    @Test func `A worker that the database has given up stops its jobs and starts a new life`() async throws {
        var make = WorkerMake()
        let clock = make.freeze()
        let reasons = Locked<[StopReason?]>([])
        try make.on("k", handler(reasons))
        let interval = make.settings.heartbeatInterval
        try await withWorker(make) { bench in
            _ = try await bench.registered()
            let id = try await bench.enqueue("k")
            await bench.handlerBegins()
            try await bench.pool.withConnection { connection in
                _ = try await connection.query(sql: "update leasehold.worker set lapsed_at = clock_timestamp()")
            }
            clock.advance(by: interval)
            await bench.event("worker_lapsed")
            _ = try await bench.registered()
            _ = try await bench.settled(id)
            #expect(try await bench.settled(id).summary.state == .completed)
            #expect(bench.metrics.counterTotal(label: "worker_lapsed") == 1)
        }
        #expect(reasons.value == [.leaseLost])
    }

    @Test func `A claim that is refused because the worker was given up starts a new life as well`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k") { _ in .completed }
        try await withWorker(make) { bench in
            _ = try await bench.registered()
            await bench.event("worker_asleep")
            try await bench.pool.withConnection { connection in
                _ = try await connection.query(sql: "update leasehold.worker set lapsed_at = clock_timestamp()")
            }
            let id = try await bench.enqueue("k")
            await bench.event("worker_lapsed")
            _ = try await bench.registered()
            #expect(try await bench.settled(id).summary.state == .completed)
        }
    }

    @Test func `An outcome of a run that was taken away changes nothing and is reported`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        let end = WakeSignal()
        let run = TestSignal<RunID>()
        try make.on("k") { context in
            run.give(context.job.run)
            if context.job.run.rawValue == 1 {
                await end.wait()
                return .discard(reason: "of the zombie")
            }
            return .completed
        }
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k")
            let first = await run.first()
            let results = try await bench.queue.settle([.handBack(job: id, run: first)])
            #expect(results == [.settled(.ready)])
            end.give()
            guard case .leaseLost(let job, let outcome) = await bench.event("lease_lost") else {
                Issue.record("expected the event to carry the job")
                return
            }
            #expect(job.run == first)
            #expect(outcome == "discard")
            let record = try await bench.settled(id)
            #expect(record.summary.state == .completed)
            #expect(bench.metrics.counterTotal(label: "lease_lost") == 1)
        }
    }

    @Test func `Saving progress of a run that was taken away stops its handler`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        let (go, run) = (WakeSignal(), TestSignal<RunID>())
        let ends = Locked<[String]>([])
        try make.on("k") { context in
            if context.job.run.rawValue > 1 { return .completed }
            run.give(context.job.run)
            await go.wait()
            do {
                try await context.saveProgress(json: #"{"page": 1}"#)
            } catch {
                ends.withLock { $0.append("\(errorLabel(error)), cancelled: \(context.isCancelled)") }
                throw error
            }
            return .completed
        }
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k")
            _ = try await bench.queue.settle([.handBack(job: id, run: await run.first())])
            go.give()
            #expect(try await bench.settled(id).summary.state == .completed)
        }
        #expect(ends.value == ["lease_lost, cancelled: true"])
    }

    @Test func `A job whose claim was committed but never answered is found and handed back`() async throws {
        var make = WorkerMake()
        make.settings.reconcileInterval = .seconds(3)
        let clock = make.freeze()
        try make.on("k") { _ in .completed }
        try await withWorker(make) { bench in
            let worker = try await bench.registered()
            await bench.event("worker_asleep")
            let id = try await bench.enqueue("k", queue: Self.other)
            let claim = ClaimRequest(worker: worker, queues: [Self.other], limit: 1)
            #expect(try await bench.queue.claim(claim).map(\.id) == [id])
            clock.advance(by: .seconds(3))
            await bench.event("stray_jobs_handed_back")
            let job = try await bench.queue.show(id)
            #expect(job.summary.state == .ready)
            #expect(job.summary.attempt == 0)
        }
    }

    @Test func `Jobs that run are no strays`() async throws {
        var make = WorkerMake()
        make.settings.reconcileInterval = .seconds(3)
        let clock = make.freeze()
        let end = WakeSignal()
        try make.on("k") { _ in
            await end.wait()
            return .completed
        }
        try await withWorker(make) { bench in
            let worker = try await bench.registered()
            let mine = try await bench.enqueue("k")
            await bench.handlerBegins()
            let stray = try await bench.enqueue("k", queue: Self.other)
            let claim = ClaimRequest(worker: worker, queues: [Self.other], limit: 1)
            #expect(try await bench.queue.claim(claim).map(\.id) == [stray])
            clock.advance(by: .seconds(3))
            await bench.event("stray_jobs_handed_back")
            #expect(bench.metrics.counterTotal(label: "job_stray") == 1)
            end.give()
            #expect(try await bench.settled(mine).summary.state == .completed)
        }
    }

    @Test func `The jobs of a dead worker are taken back and run`() async throws {
        try await withDatabase { database in
            var make = WorkerMake()
            make.settings.rescueInterval = .seconds(3)
            let clock = make.freeze()
            try make.on("k") { _ in .completed }
            let dead = WorkerID()
            let id = try await withWorker(make, on: database, isRunning: false) { bench in
                let id = try await bench.enqueue("k")
                try await bench.queue.register(
                    WorkerRegistration(id: dead, name: "dead", queues: [.default], kinds: [], lapse: .seconds(1))
                )
                let claim = ClaimRequest(worker: dead, queues: [.default], limit: 1)
                #expect(try await bench.queue.claim(claim).map(\.id) == [id])
                try await bench.pool.withConnection { connection in
                    _ = try await connection.query(
                        sql: "update leasehold.worker set heartbeat_at = heartbeat_at - interval '1 hour'"
                    )
                }
                return id
            }
            try await withWorker(make, on: database) { bench in
                await bench.event("worker_asleep")
                clock.advance(by: .seconds(3))
                _ = try await bench.event("jobs_rescued", advancing: clock)
                _ = try await bench.event("jobs_settled", advancing: clock)
                let job = try await bench.queue.show(id)
                #expect(job.summary.state == .completed)
                #expect(job.kills == 1)
                #expect(job.attempts.map(\.errorLabel) == ["worker_died"])
            }
        }
    }

    @Test func `Maintenance comes at its interval, and a failure leaves the next turn alone`() async throws {
        var make = WorkerMake()
        let clock = make.freeze()
        let turns = Locked(0)
        make.maintenance = [
            MaintenanceTask("sweep", every: .seconds(2)) {
                let turn = turns.withLock { turns in
                    turns += 1
                    return turns
                }
                if turn == 1 { throw LeaseLost(job: JobID(rawValue: 1), run: RunID(rawValue: 1)) }
            }
        ]
        try await withWorker(make) { bench in
            await bench.event("worker_asleep")
            clock.advance(by: .seconds(2))
            await bench.event("maintenance_failed")
            // Heartbeat, watch, claims, rescue, schedules, and the task under test.
            await clock.sleepers(6)
            clock.advance(by: .milliseconds(2200))
            _ = await bench.events.first { event in
                if case .maintained(let task, _) = event { task == "sweep" } else { false }
            }
        }
        #expect(turns.value == 2)
    }
}

@Suite struct JobLeaseTests {
    private final class Ledger: JobLedger {
        let entries = Locked<[String]>([])

        func settle(_ job: ClaimedJob, _ verdict: Verdict, ran: Duration) {
            entries.withLock { $0.append("\(verdict.label) \(job.id)") }
        }

        func dropped(_ job: ClaimedJob) {
            entries.withLock { $0.append("dropped \(job.id)") }
        }
    }

    @Test func `A lease that is settled is not reported as dropped`() {
        let ledger = Ledger()
        do {
            let lease = JobLease(claimedJob(4), ledger: ledger)
            lease.settle(Verdict(.completed), ran: .zero)
        }
        #expect(ledger.entries.value == ["completed 4"])
    }

    @Test func `A lease that is dropped unsettled is reported`() {
        let ledger = Ledger()
        do {
            _ = JobLease(claimedJob(4), ledger: ledger)
        }
        #expect(ledger.entries.value == ["dropped 4"])
    }
}
