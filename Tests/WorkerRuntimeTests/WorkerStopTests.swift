import Foundation
import JobQueue
import LeaseholdCore
import ServiceLifecycle
import Synchronization
import TestSupport
import Testing
import UnixSignals

@testable import WorkerRuntime

@Suite(.timeLimit(.minutes(4))) struct WorkerStopTests {
    /// Goes on until it is cancelled, then throws what a cancelled call throws.
    private static let untilCancelled: JobHandler = { _ in
        await WakeSignal().wait()
        throw CancellationError()
    }

    @Test func `A handler that runs longer than its kind allows is cancelled and tried again`() async throws {
        var make = WorkerMake()
        let clock = make.freeze()
        try make.on("k", options: JobKindOptions(timeout: .seconds(2)), Self.untilCancelled)
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k")
            await bench.handlerBegins()
            clock.advance(by: .seconds(2))
            let job = try await bench.settled(id)
            #expect(job.summary.state == .scheduled)
            #expect(job.summary.attempt == 1)
            #expect(job.summary.errorLabel == "job_timeout")
            #expect(job.lastError == "expected to end within 2.0 seconds, and was cancelled")
        }
    }

    @Test func `A timeout given with the job wins over the kind's`() async throws {
        var make = WorkerMake()
        let remaining = Locked<Duration?>(nil)
        let clock = make.freeze()
        try make.on("k", options: JobKindOptions(timeout: .seconds(2))) { context in
            remaining.withLock { $0 = context.remainingTime }
            return .completed
        }
        try await withWorker(make) { bench in
            _ = clock
            let request = JobRequest(tenant: WorkerBench.tenant, kind: try JobKind("k"), timeout: .seconds(90))
            _ = try await bench.settled(try await bench.queue.enqueue(request).id)
        }
        #expect(remaining.value == .seconds(90))
    }

    @Test func `A worker that is stopped lets its jobs end and claims nothing more`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        let end = WakeSignal()
        try make.on("k.slow") { _ in
            await end.wait()
            return .completed
        }
        try make.on("k.late") { _ in .completed }
        try await withDatabase { database in
            let (slow, late) = try await withWorker(make, on: database) { bench in
                let slow = try await bench.enqueue("k.slow")
                await bench.handlerBegins()
                bench.worker.stop()
                await bench.event("worker_draining")
                let late = try await bench.enqueue("k.late")
                end.give()
                await bench.event("worker_stopped")
                return (slow, late)
            }
            let queue = JobQueue(pool: database.pool(), logger: database.log.logger())
            #expect(try await queue.show(slow).summary.state == .completed)
            #expect(try await queue.show(late).summary.state == .ready)
            #expect(try await queue.workers().isEmpty, "it signs off")
        }
    }

    @Test func `What still runs after the drain is cancelled and handed back without counting the attempt`()
        async throws
    {
        var make = WorkerMake()
        let clock = make.freeze()
        try make.on("k", Self.untilCancelled)
        try await withDatabase { database in
            let id = try await withWorker(make, on: database) { bench in
                let id = try await bench.enqueue("k")
                await bench.handlerBegins()
                bench.worker.stop()
                await bench.event("worker_draining")
                clock.advance(by: bench.worker.settings.drainTime)
                await bench.event("worker_cancelling")
                await bench.event("worker_stopped")
                return id
            }
            let job = try await JobQueue(pool: database.pool(), logger: database.log.logger()).show(id)
            #expect(job.summary.state == .ready)
            #expect(job.summary.attempt == 0)
        }
    }

    @Test func `A second stop skips the drain`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k", Self.untilCancelled)
        try await withWorker(make) { bench in
            _ = try await bench.enqueue("k")
            await bench.handlerBegins()
            bench.worker.stop()
            bench.worker.stop()
            await bench.event("worker_stopped")
        }
    }

    @Test func `The second signal skips the drain`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k", Self.untilCancelled)
        try await withWorker(make) { bench in
            _ = try await bench.enqueue("k")
            await bench.handlerBegins()
            await withThrowingTaskGroup(of: Void.self) { group in
                let heard = TestSignal<Int>()
                let signals = SecondSignal(for: bench.worker, signals: [.sigusr1], heard: heard)
                group.addTask { try await signals.run() }
                _ = await heard.first { $0 == 0 }
                kill(getpid(), SIGUSR1)
                _ = await heard.first { $0 == 1 }
                #expect(bench.worker.state.withLock { $0.shutdown.stage } == .working)
                kill(getpid(), SIGUSR1)
                await bench.event("worker_cancelling")
                group.cancelAll()
            }
            await bench.event("worker_stopped")
        }
    }

    @Test func `Cancelling the worker's task hands its jobs back`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k", Self.untilCancelled)
        try await withWorker(make, isRunning: false) { bench in
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await bench.worker.run() }
                let id = try await bench.enqueue("k")
                await bench.handlerBegins()
                group.cancelAll()
                try await group.waitForAll()
                let job = try await bench.queue.show(id)
                #expect(job.summary.state == .ready)
                #expect(job.summary.attempt == 0)
            }
        }
    }

    @Test func `A graceful shutdown of its service group drains the worker`() async throws {
        var make = WorkerMake()
        let end = WakeSignal()
        try make.on("k") { _ in
            await end.wait()
            return .completed
        }
        try await withWorker(make, isRunning: false) { bench in
            let group = ServiceGroup(services: [bench.worker], logger: bench.database.log.logger("group"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let id = try await bench.enqueue("k")
                await bench.handlerBegins()
                await group.triggerGracefulShutdown()
                await bench.event("worker_draining")
                end.give()
                try await tasks.waitForAll()
                #expect(try await bench.queue.show(id).summary.state == .completed)
            }
        }
    }

    @Test func `A handler that goes on though it was told to stop is reported and keeps its slot`() async throws {
        var make = WorkerMake()
        make.settings.slots = 1
        let clock = make.freeze()
        let end = WakeSignal()
        try make.on("k.deaf", options: JobKindOptions(timeout: .seconds(1))) { _ in
            // Deaf: waits in a task of its own, which the cancellation does not reach.
            await Task { await end.wait() }.value
            return .completed
        }
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k.deaf")
            await bench.handlerBegins()
            clock.advance(by: .seconds(1))
            await bench.event("job_stopped")
            clock.advance(by: RunningJobs.stopPatience)
            await bench.event("handler_ignores_stop")
            end.give()
            #expect(try await bench.settled(id).summary.state == .completed, "it is believed all the same")
        }
    }
}
