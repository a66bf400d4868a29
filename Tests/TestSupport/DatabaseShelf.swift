import Synchronization

/// Limits how many test databases exist at once, and passes empty ones on from test to test: making
/// and dropping one costs far more than a small test.
final class DatabaseShelf: Sendable {
    private struct Waiter {
        var wantsUsed: Bool
        var continuation: CheckedContinuation<String?, Never>
    }

    private struct State {
        var free: Int
        var waiters: [Waiter] = []
    }

    private let state: Mutex<State>

    init(limit: Int) {
        state = Mutex(State(free: limit))
    }

    /// Waits for a place.
    ///
    /// - Returns: the name of an emptied database to use, nil to make one; never one unless
    ///   `wantsUsed`.
    func take(wantsUsed: Bool) async -> String? {
        await withCheckedContinuation { continuation in
            let hasPlace = state.withLock { state in
                if state.free > 0 {
                    state.free -= 1
                    return true
                }
                state.waiters.append(Waiter(wantsUsed: wantsUsed, continuation: continuation))
                return false
            }
            if hasPlace { continuation.resume(returning: nil) }
        }
    }

    /// Whether the next in line would take a used database.
    var wantsUsed: Bool { state.withLock { $0.waiters.first?.wantsUsed ?? false } }

    /// Gives the place back.
    ///
    /// - Parameter name: of an emptied database to pass on.
    /// - Returns: false if nobody took it; it is then to be dropped.
    func giveBack(_ name: String?) -> Bool {
        let next = state.withLock { state -> Waiter? in
            guard !state.waiters.isEmpty else {
                state.free += 1
                return nil
            }
            return state.waiters.removeFirst()
        }
        guard let next else { return false }
        let isPassedOn = name != nil && next.wantsUsed
        next.continuation.resume(returning: isPassedOn ? name : nil)
        return isPassedOn
    }
}
