import Synchronization

/// So many requests a second, and so many at once after a pause.
package struct RateLimit: Sendable, Equatable {
    package var perSecond: Double
    package var burst: Int

    package init(perSecond: Double, burst: Int? = nil) {
        self.perSecond = perSecond
        self.burst = burst ?? max(1, Int(perSecond))
    }
}

/// Token buckets by name, on a clock that cannot be set: a limit is about load, not about dates.
final class RateLimiter: Sendable {
    private let limit: RateLimit
    private let buckets = Mutex<[String: Bucket]>([:])

    private struct Bucket {
        var level: Double
        var filledAt: ContinuousClock.Instant
    }

    init(_ limit: RateLimit) { self.limit = limit }

    /// Nil where the request may pass, else after how many whole seconds it may.
    func refuse(_ name: String, now: ContinuousClock.Instant = .now) -> Int? {
        buckets.withLock { buckets in
            var bucket = buckets[name] ?? Bucket(level: Double(limit.burst), filledAt: now)
            let passed = (now - bucket.filledAt) / .seconds(1)
            bucket.level = min(Double(limit.burst), bucket.level + passed * limit.perSecond)
            bucket.filledAt = now
            let passes = bucket.level >= 1
            if passes { bucket.level -= 1 }
            buckets[name] = bucket
            return passes ? nil : max(1, Int(((1 - bucket.level) / limit.perSecond).rounded(.up)))
        }
    }
}
