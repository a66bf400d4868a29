internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

extension Worker {
    /// Registers the worker, beats, and registers it anew after a lapse, until cancelled.
    func keepAlive() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            let now = timeline.now()
            let (next, isAlive, id) = state.withLock { ($0.nextBeat, $0.heart.isAlive, $0.id) }
            if let id = state.withLock({ $0.takeStopAnnouncement() }) {
                await announceStop(of: id)
            } else if now < next {
                await heartWake.wait(until: next, on: timeline)
            } else if isAlive {
                await beat(id, backoff: &backoff)
            } else {
                await register(backoff: &backoff)
            }
        }
    }

    /// Under a new id each time: a lapsed one may have been given up by the database, and its jobs
    /// with it.
    private func register(backoff: inout Backoff) async {
        let id = WorkerID()
        let sent = timeline.now()
        do {
            try await timeline.limit(settings.heartbeatInterval, "register") {
                try await self.queue.register(self.registration(id))
            }
            backoff.succeeded()
            state.withLock { $0.registered(sent: sent, as: id) }
            report(.registered(id))
            claimWake.give()
            watchWake.give()
        } catch {
            if Task.isCancelled { return }
            let (now, pause) = (timeline.now(), backoff.failed(random))
            _ = state.withLock { $0.heart.failed(now: now, pause: pause) }
            report(.registrationFailed(error, failures: backoff.failures, retryIn: pause))
        }
    }

    private func registration(_ id: WorkerID) -> WorkerRegistration {
        WorkerRegistration(
            id: id,
            name: settings.name,
            queues: settings.queues,
            kinds: registry.kinds,
            version: settings.version,
            concurrency: settings.slots,
            lapse: settings.lapse
        )
    }

    private func beat(_ id: WorkerID, backoff: inout Backoff) async {
        let sent = timeline.now()
        state.withLock { $0.heart.sending(now: sent) }
        do {
            let answer = try await timeline.limit(settings.heartbeatInterval, "heartbeat") {
                try await self.queue.heartbeat(id)
            }
            backoff.succeeded()
            let now = timeline.now()
            let action = state.withLock { $0.heart.answered(sent: sent, isAlive: answer.alive, now: now) }
            cancel(answer.cancelRequested.map { RunKey(job: $0.job, run: $0.run) })
            if action == .stopJobs { lapse() } else { report(.heartbeatWritten) }
        } catch {
            if Task.isCancelled { return }
            let (now, pause) = (timeline.now(), backoff.failed(random))
            let action = state.withLock { $0.heart.failed(now: now, pause: pause) }
            report(.heartbeatFailed(error, failures: backoff.failures, retryIn: pause))
            if action == .stopJobs { lapse() }
        }
    }

    private func cancel(_ requested: [RunKey]) {
        if requested.isEmpty { return }
        let keys = Set(requested)
        let now = timeline.now()
        let chosen = state.withLock { $0.running.stopping(now: now) { keys.contains($0.job.key) } }
        tellToStop(chosen.map { ($0, .cancelRequested) })
        watchWake.give()
    }

    /// The database has given this life up, as a claim was told.
    func gaveUp(on worker: WorkerID) {
        let now = timeline.now()
        let action = state.withLock { state in
            worker == state.id ? state.heart.answered(sent: now, isAlive: false, now: now) : .none
        }
        if action == .stopJobs { lapse() }
    }

    /// Cancels everything that runs: by the time others may take it, it should have stopped.
    func lapse() {
        let now = timeline.now()
        let stops = state.withLock { $0.stopAll(.leaseLost, now: now) }
        report(.lapsed(jobs: stops.count))
        tellToStop(stops)
        heartWake.give()
        watchWake.give()
    }
}
