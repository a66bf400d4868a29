import LeaseholdCore
import Synchronization

/// Exchanges that the refresh loop has begun.
///
/// The end of one wakes the loop only if it waits for slots: otherwise it sleeps for want of budget or of
/// something due, and a free slot more is no news. With many slots it is woken for an eighth of them, so
/// that taking what is due costs a fraction of a statement an exchange.
final class RunningCount: Sendable {
    /// How long the loop waits for an eighth of the slots before it makes do with fewer.
    static let patience: Duration = .milliseconds(50)

    private struct State {
        var running = 0
        /// How many free slots the loop waits for; nil if it does not wait for any.
        var awaited: Int?
    }

    private let state = Mutex(State())
    private let limit: Int
    private let wake: WakeSignal

    init(limit: Int, _ wake: WakeSignal) {
        self.limit = limit
        self.wake = wake
    }

    /// The loop looks at this before it looks for work, and thereby waits for slots no more.
    func takeStock() -> Int {
        state.withLock { state in
            state.awaited = nil
            return max(0, limit - state.running)
        }
    }

    func begin() { state.withLock { $0.running += 1 } }

    func end() {
        let isAwaited = state.withLock { state in
            state.running -= 1
            guard let awaited = state.awaited, limit - state.running >= awaited else { return false }
            state.awaited = nil
            return true
        }
        if isAwaited { wake.give() }
    }

    /// Returns when one slot is free, or at a signal, or after `limit`.
    func waitForAny(atMost limit: Duration, on timeline: Timeline) async {
        await wait(for: 1, atMost: limit, on: timeline)
    }

    /// Returns when an eighth of the slots is free, or at a signal, or after ``patience``.
    func waitForSome(on timeline: Timeline) async {
        await wait(for: max(1, limit / 8), atMost: Self.patience, on: timeline)
    }

    private func wait(for count: Int, atMost patience: Duration, on timeline: Timeline) async {
        let isThere = state.withLock { state in
            if limit - state.running >= count { return true }
            state.awaited = count
            return false
        }
        if !isThere { await wake.wait(atMost: patience, on: timeline) }
    }
}

/// The most urgent due credentials beyond those taken, from the last look through the backlog. Good for
/// a second: with thousands due, only one look a second goes through them all.
struct RankedBacklog {
    static let lifetime: Duration = .seconds(1)

    private var tenants: [String] = []
    private var rankedAt: Duration = .zero

    /// Empty if the backlog has to be ranked anew.
    func fresh(now: Duration) -> [String] { now - rankedAt < Self.lifetime ? tenants : [] }

    mutating func replace(with tenants: [String], wasRanked: Bool, now: Duration) {
        self.tenants = tenants
        if wasRanked { rankedAt = now }
    }
}
