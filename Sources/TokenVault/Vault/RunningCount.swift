import Synchronization

/// Exchanges that the refresh loop has begun.
///
/// The end of one wakes the loop only if it waits for slots: otherwise it sleeps for want of budget or of
/// something due, and a free slot more is no news. With many slots it is woken for an eighth of them, so
/// that taking what is due costs a fraction of a statement an exchange.
final class RunningCount: Sendable {
    /// How long the loop waits for an eighth of the slots before it makes do with fewer.
    static let patience: Duration = .milliseconds(50)

    private let running = Mutex(0)
    private let limit: Int
    private let wake: WakeSignal

    init(limit: Int, _ wake: WakeSignal) {
        self.limit = limit
        self.wake = wake
    }

    var free: Int { running.withLock { max(0, limit - $0) } }

    func begin() { running.withLock { $0 += 1 } }

    func end() {
        let free = running.withLock { running in
            running -= 1
            return limit - running
        }
        if free == max(1, limit / 8) { wake.signal() }
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
