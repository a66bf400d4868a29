import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

/// How soon a cancel request reaches a running handler. The clock stands still but for the tests, so no
/// heartbeat comes by itself.
@Suite(.timeLimit(.minutes(4))) struct WorkerCancelTests {
    /// Goes on until it is cancelled, then throws what a cancelled call throws.
    private static let untilCancelled: JobHandler = { _ in
        await WakeSignal().wait()
        throw CancellationError()
    }

    private func expectCancelled(_ event: WorkerEvent, _ id: JobID) {
        guard case .jobStopped(let job, let reason) = event else {
            Issue.record("expected the event to carry the job")
            return
        }
        #expect(job.id == id)
        #expect(reason == .cancelRequested)
    }

    @Test func `A worker that listens stops the handler at once`() async throws {
        var make = WorkerMake()
        _ = make.freeze()
        try make.on("k", Self.untilCancelled)
        try await withWorker(make) { bench in
            await bench.event("notifications_on")
            let id = try await bench.enqueue("k")
            await bench.handlerBegins()
            #expect(try await bench.queue.cancel(id, reason: "not wanted") == .requested)
            expectCancelled(await bench.event("job_stopped"), id)
            #expect(try await bench.settled(id).summary.state == .cancelled)
        }
    }

    @Test func `Requests that come in a row all arrive, each at its own worker`() async throws {
        var make = WorkerMake()
        make.settings.slots = 20
        _ = make.freeze()
        try make.on("k", Self.untilCancelled)
        try await withWorker(make) { bench in
            await bench.event("notifications_on")
            let ids = try await bench.enqueue("k", times: 20)
            for _ in ids { await bench.handlerBegins() }
            for id in ids { #expect(try await bench.queue.cancel(id) == .requested) }
            for job in try await bench.settled(ids) { #expect(job.summary.state == .cancelled) }
        }
    }

    @Test func `A worker that cannot listen asks every second while jobs run`() async throws {
        var make = WorkerMake()
        make.hearsNotifications = false
        let clock = make.freeze()
        try make.on("k", Self.untilCancelled)
        let poll = make.settings.cancelPoll
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k")
            _ = try await bench.event("job_started", advancing: clock)
            #expect(try await bench.queue.cancel(id) == .requested)
            clock.advance(by: poll)
            expectCancelled(await bench.event("job_stopped"), id)
            #expect(try await bench.settled(id).summary.state == .cancelled)
        }
    }

    @Test func `A request that comes while a heartbeat is on its way is asked for again`() {
        var monitor = HeartbeatMonitor(interval: .seconds(5), lapse: .seconds(30), stopMargin: .seconds(8))
        monitor.registered(sent: .zero)
        monitor.sending(now: .seconds(5))
        // The heartbeat's statement may have looked before the request was there.
        monitor.hurry(now: .seconds(5))
        _ = monitor.answered(sent: .seconds(5), isAlive: true, now: .seconds(6))
        #expect(monitor.nextBeat <= .seconds(6))
        monitor.sending(now: .seconds(6))
        _ = monitor.answered(sent: .seconds(6), isAlive: true, now: .seconds(6))
        #expect(monitor.nextBeat == .seconds(11), "once")
    }

    @Test func `Without jobs, or with notifications, the heartbeat keeps its interval`() {
        var settings = WorkerSettings(name: "w")
        settings.cancelPoll = .seconds(1)
        var state = WorkerState(settings: settings)
        state.registered(sent: .zero, as: WorkerID())
        #expect(state.nextBeat == .seconds(5))
        _ = state.claimed([claimedJob()], by: state.id)
        #expect(state.nextBeat == .seconds(1))
        state.hearsCancels = true
        #expect(state.nextBeat == .seconds(5))
    }
}
