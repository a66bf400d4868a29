internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

extension Worker {
    /// Stops claiming and lets running jobs end for the drain time; asked for again, cancels them.
    package func stop() {
        let now = timeline.now()
        let (action, stops, running) = state.withLock { state in
            let action = state.shutdown.stopRequested(now: now)
            let stops =
                switch action {
                case .none: [] as [(entry: RunningJobs.Entry, reason: StopReason)]
                case .stopClaiming: state.stopWaiting(now: now)
                case .cancelJobs: state.stopAll(.shutdown, now: now)
                }
            return (action, stops, state.running.count)
        }
        switch action {
        case .none: return
        case .stopClaiming: report(.draining(jobs: running, seconds: settings.drainTime.seconds))
        case .cancelJobs: report(.cancelling(jobs: running))
        }
        tellToStop(stops)
        wakeAll()
    }

    /// Lets people see in the list of workers that this one is on its way out.
    func announceStop(of worker: WorkerID) async {
        do {
            try await timeline.limit(settings.farewellTime, "stop") { try await self.queue.stop(worker) }
        } catch {
            // Cancelled when the last job has ended meanwhile: the sign-off says more.
            if !Task.isCancelled { report(.farewellFailed(error)) }
        }
    }

    /// Cancels running jobs now and hands them back; the second signal of an impatient operator.
    package func skipDrain() {
        let now = timeline.now()
        let (action, stops) = state.withLock { state in
            let action = state.shutdown.skipDrain()
            return (action, action == .cancelJobs ? state.stopAll(.shutdown, now: now) : [])
        }
        guard action == .cancelJobs else { return }
        report(.cancelling(jobs: stops.count))
        tellToStop(stops)
        wakeAll()
    }

    /// Outside the lock, because cancelling a task runs its cancellation handlers right here.
    func tellToStop(_ stops: [(entry: RunningJobs.Entry, reason: StopReason)]) {
        for (entry, reason) in stops where entry.control.stop(reason) {
            report(.jobStopped(entry.job, reason))
        }
    }

    private func wakeAll() {
        claimWake.give()
        settleWake.give()
        heartWake.give()
        watchWake.give()
    }

    /// After the last job: waits until its outcome is written, but not for ever for a database that
    /// is away. What is given up runs again on another worker.
    func writeLastSettles() async {
        let deadline = timeline.now() + settings.farewellTime
        settleWake.give()
        while state.withLock({ $0.settles.unwritten }) > 0, timeline.now() < deadline {
            await writtenWake.wait(until: deadline, on: timeline)
        }
        let abandoned = state.withLock { $0.settles.unwritten }
        guard abandoned > 0 else { return }
        report(.settlesAbandoned(jobs: abandoned))
    }

    /// Tells the database that this worker is gone, which hands back what it still counts as ours.
    func signOff() async {
        let lives = state.withLock(\.lives)
        do {
            try await timeline.limit(settings.farewellTime, "sign-off") {
                for life in lives { _ = try await self.queue.unregister(life) }
            }
        } catch {
            report(.farewellFailed(error))
        }
    }
}
