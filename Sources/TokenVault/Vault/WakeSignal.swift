import LeaseholdCore
import Synchronization

/// Wakes one loop early. A signal that comes while nobody waits is kept.
final class WakeSignal: Sendable {
    private struct State {
        var count = 0
        var taken = 0
        var isClosed = false
        var waiter: CheckedContinuation<Void, Never>?
        var closers: [CheckedContinuation<Void, Never>] = []
    }

    private let state = Mutex(State())

    var isClosed: Bool { state.withLock(\.isClosed) }
    /// Signals so far.
    var count: Int { state.withLock(\.count) }

    func signal() {
        let waiter = state.withLock { state in
            state.count += 1
            if state.waiter != nil { state.taken = state.count }
            defer { state.waiter = nil }
            return state.waiter
        }
        waiter?.resume()
    }

    func close() {
        let closers = state.withLock { state in
            state.isClosed = true
            defer { state.closers = [] }
            return state.closers
        }
        for closer in closers { closer.resume() }
        signal()
    }

    /// Returns when the signal is closed, or the task is cancelled.
    func closed() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isClosed = state.withLock { state in
                    if state.isClosed || Task.isCancelled { return true }
                    state.closers.append(continuation)
                    return false
                }
                if isClosed { continuation.resume() }
            }
        } onCancel: {
            close()
        }
    }

    /// Returns at the next signal, after `limit`, or when the task is cancelled. For one waiter.
    func wait(atMost limit: Duration, time: VaultTime) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { try? await time.sleep(limit) }
            group.addTask { await self.next() }
            await group.next()
            group.cancelAll()
        }
    }

    private func next() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isSignalled = state.withLock { state in
                    if state.count > state.taken || state.isClosed || Task.isCancelled {
                        state.taken = state.count
                        return true
                    }
                    state.waiter = continuation
                    return false
                }
                if isSignalled { continuation.resume() }
            }
        } onCancel: {
            let waiter = state.withLock { state in
                defer { state.waiter = nil }
                return state.waiter
            }
            waiter?.resume()
        }
    }
}
