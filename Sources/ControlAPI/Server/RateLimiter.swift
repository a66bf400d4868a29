import LeaseholdCore
import Synchronization

/// A token bucket for each caller, in this process: a fleet of servers allows as many times more.
///
/// Memory is bounded: when many callers are remembered, those whose bucket is full again are
/// forgotten, which changes nothing for them.
final class RateLimiter: Sendable {
    private let rate: Double
    private let burst: Double
    private let limit: Int
    private let now: @Sendable () -> Duration
    private let buckets = Mutex<[String: Bucket]>([:])

    private struct Bucket {
        var level: Double
        var at: Duration
    }

    /// - Parameters:
    ///   - rate: requests a second on average.
    ///   - now: a clock that only rises.
    init(rate: Double, burst: Double, limit: Int = 10_000, now: @escaping @Sendable () -> Duration) {
        self.rate = rate
        self.burst = burst
        self.limit = limit
        self.now = now
    }

    /// Takes one from the caller's bucket.
    ///
    /// - Returns: nil if there was one, else how long to wait for it.
    func admit(_ caller: String) -> Duration? { use(caller, taking: 1) }

    /// How long until there is one, without taking it.
    func waitIfEmpty(_ caller: String) -> Duration? { use(caller, taking: 0) }

    private func use(_ caller: String, taking amount: Double) -> Duration? {
        let now = now()
        return buckets.withLock { buckets in
            var bucket = buckets[caller] ?? Bucket(level: burst, at: now)
            bucket.level = level(of: bucket, at: now)
            bucket.at = now
            defer { buckets[caller] = bucket }
            if buckets.count >= limit { buckets = buckets.filter { level(of: $0.value, at: now) < burst } }
            // Where all of them are busy, remembering none is better than growing without end.
            if buckets.count >= limit { buckets.removeAll() }
            guard bucket.level >= 1 else { return .seconds((1 - bucket.level) / rate) }
            bucket.level -= amount
            return nil
        }
    }

    private func level(of bucket: Bucket, at now: Duration) -> Double {
        min(burst, bucket.level + (now - bucket.at).seconds * rate)
    }

    var remembered: Int { buckets.withLock { $0.count } }
}
