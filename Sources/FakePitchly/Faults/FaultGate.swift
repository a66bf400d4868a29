import Synchronization

/// Holds requests until it is opened, so that a test decides the order of things without a timer.
package final class FaultGate: Sendable, Equatable {
    private struct State {
        var isOpen = false
        var arrivals = 0
        var lastID = 0
        var held: [Int: CheckedContinuation<Void, Never>] = [:]
        var watchers: [(count: Int, continuation: CheckedContinuation<Void, Never>)] = []
    }

    private let state = Mutex(State())

    package init() {}

    /// Lets every held request go, and all that come later.
    package func open() {
        let held = state.withLock { state in
            state.isOpen = true
            defer { state.held.removeAll() }
            return Array(state.held.values)
        }
        for continuation in held { continuation.resume() }
    }

    /// Returns once `count` requests have come to the gate.
    package func arrivals(_ count: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.arrivals >= count { return true }
                state.watchers.append((count, continuation))
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    /// - Throws: `CancellationError` when the fake stops.
    func pass() async throws {
        let id = arrive()
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let mustWait = state.withLock { state in
                    guard !state.isOpen, !Task.isCancelled else { return false }
                    state.held[id] = continuation
                    return true
                }
                if !mustWait { continuation.resume() }
            }
        } onCancel: {
            state.withLock { $0.held.removeValue(forKey: id) }?.resume()
        }
        try Task.checkCancellation()
    }

    private func arrive() -> Int {
        let (id, watchers) = state.withLock { state in
            state.arrivals += 1
            state.lastID += 1
            let arrivals = state.arrivals
            let ready = state.watchers.filter { $0.count <= arrivals }
            state.watchers.removeAll { $0.count <= arrivals }
            return (state.lastID, ready)
        }
        for watcher in watchers { watcher.continuation.resume() }
        return id
    }

    package static func == (left: FaultGate, right: FaultGate) -> Bool { left === right }
}
