import Synchronization

/// Wakes one waiting loop. A signal given while nobody waits is kept, so a loop that looks, finds
/// nothing and then waits cannot miss what came in between.
package final class WakeSignal: Sendable {
    private enum State {
        case quiet
        case given
        case waiting(CheckedContinuation<Void, Never>)
    }

    private let state = Mutex(State.quiet)

    package init() {}

    package func give() {
        let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard case .waiting(let continuation) = state else {
                state = .given
                return nil
            }
            state = .quiet
            return continuation
        }
        waiter?.resume()
    }

    /// Returns when the signal is given, or when the task is cancelled. For one waiter at a time.
    package func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isGiven = state.withLock { state -> Bool in
                    if case .given = state {
                        state = .quiet
                        return true
                    }
                    state = .waiting(continuation)
                    return false
                }
                if isGiven { continuation.resume() }
            }
        } onCancel: {
            give()
        }
    }

    /// Returns when the signal is given, at `moment`, or when the task is cancelled. Without a
    /// moment it waits for the signal alone.
    package func wait(until moment: Moment?, on timeline: Timeline) async {
        guard let moment else { return await wait() }
        if moment <= timeline.now() { return }
        // The wait itself stays in this task: whoever gives the signal resumes it directly.
        await withDiscardingTaskGroup { group in
            group.addTask {
                do {
                    try await timeline.sleep(until: moment)
                    self.give()
                } catch {}
            }
            await self.wait()
            group.cancelAll()
        }
    }

    /// Returns when the signal is given, after `limit`, or when the task is cancelled.
    package func wait(atMost limit: Duration, on timeline: Timeline) async {
        await wait(until: timeline.now() + limit, on: timeline)
    }
}
