import Synchronization

/// Lets a test wait for something that happens inside a running worker, instead of sleeping.
///
/// A worker made without signals keeps none and pays one nil check for each.
package final class TestSignal<Value: Sendable>: Sendable {
    private struct Waiter {
        let matches: @Sendable (Value) -> Bool
        let continuation: CheckedContinuation<Value, Never>
    }

    private struct State {
        var values: [Value] = []
        var waiters: [Waiter] = []
    }

    private let state = Mutex(State())

    package init() {}

    package func give(_ value: Value) {
        state.withLock { state -> Waiter? in
            guard let index = state.waiters.firstIndex(where: { $0.matches(value) }) else {
                state.values.append(value)
                return nil
            }
            return state.waiters.remove(at: index)
        }?.continuation.resume(returning: value)
    }

    /// Takes the first value that matches, given before or after this call. Without one it waits for
    /// ever: the test's own time limit ends it.
    package func first(where matches: @escaping @Sendable (Value) -> Bool = { _ in true }) async -> Value {
        await withCheckedContinuation { continuation in
            let value = state.withLock { state -> Value? in
                guard let index = state.values.firstIndex(where: matches) else {
                    state.waiters.append(Waiter(matches: matches, continuation: continuation))
                    return nil
                }
                return state.values.remove(at: index)
            }
            if let value { continuation.resume(returning: value) }
        }
    }

    /// Everything given and not yet taken.
    package var all: [Value] { state.withLock { $0.values } }
}
