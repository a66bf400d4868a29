import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

extension Worker {
    /// Does what time alone brings about: timeouts, the lapse, the end of the drain. It asks nobody,
    /// so that it works also when the database does not answer.
    func watch() async {
        while !Task.isCancelled {
            let now = timeline.now()
            let (due, next) = state.withLock { state in
                let due = state.tick(now: now)
                return (due, state.planWatch())
            }
            if due.isLapse {
                report(.lapsed(jobs: due.stops.count))
                heartWake.give()
            }
            if due.endsDrain { report(.cancelling(jobs: due.stops.count)) }
            tellToStop(due.stops)
            for job in due.stuck { report(.handlerIgnoresStop(job)) }
            await watchWake.wait(until: next, on: timeline)
        }
    }
}
