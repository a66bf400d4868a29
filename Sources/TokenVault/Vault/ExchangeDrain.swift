import Synchronization

/// Counts what must not be interrupted, limits how much of it runs at once, and lets a shutdown wait
/// for it.
final class ExchangeDrain: Sendable {
    private struct State {
        var running = 0
        var turns: [CheckedContinuation<Void, Never>] = []
        var whenEmpty: [CheckedContinuation<Void, Never>] = []
    }

    private let limit: Int
    private let state = Mutex(State())

    init(limit: Int) { self.limit = max(1, limit) }

    var runningCount: Int { state.withLock(\.running) }

    /// Waits for a turn, then runs `body` to its end, whatever happens to the caller.
    ///
    /// - Throws: `CancellationError` if the caller was cancelled before `body` began.
    func shielded<Result: Sendable>(_ body: @escaping @Sendable () async -> Result) async throws -> Result {
        await enter()
        if Task.isCancelled {
            leave()
            throw CancellationError()
        }
        // Unstructured on purpose: a task of its own has no parent whose cancellation could reach it,
        // and between an intent and its settlement nothing may be cut short. ``drained()`` waits for it.
        return await Task {
            let result = await body()
            leave()
            return result
        }.value
    }

    /// Returns when nothing runs.
    func drained() async {
        await withCheckedContinuation { continuation in
            let isEmpty = state.withLock { state in
                if state.running == 0 { return true }
                state.whenEmpty.append(continuation)
                return false
            }
            if isEmpty { continuation.resume() }
        }
    }

    /// Takes a turn, in order.
    private func enter() async {
        await withCheckedContinuation { continuation in
            let mayEnter = state.withLock { state in
                if state.running < limit {
                    state.running += 1
                    return true
                }
                state.turns.append(continuation)
                return false
            }
            if mayEnter { continuation.resume() }
        }
    }

    private func leave() {
        let (next, empty) = state.withLock {
            state -> (CheckedContinuation<Void, Never>?, [CheckedContinuation<Void, Never>]) in
            // A turn that is handed on stays counted.
            if !state.turns.isEmpty { return (state.turns.removeFirst(), []) }
            state.running -= 1
            guard state.running == 0 else { return (nil, []) }
            defer { state.whenEmpty = [] }
            return (nil, state.whenEmpty)
        }
        next?.resume()
        for continuation in empty { continuation.resume() }
    }
}
