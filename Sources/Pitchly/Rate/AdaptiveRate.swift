/// How fast requests may be sent to an API that publishes no limit: additive increase, multiplicative
/// decrease when it throttles or becomes slow (Chiu and Jain, 1989). Until something is known of the
/// API, the rate doubles instead, as a TCP connection's does (RFC 5681, section 3.1).
///
/// The rate rises only while it is what holds requests back: one that nobody has used says nothing
/// about what the API bears (RFC 7661).
///
/// A value: times come in, decisions come out.
struct AdaptiveRate: Sendable, Equatable {
    /// Requests per second.
    private(set) var rate: Double
    /// Nothing is sent before; from Retry-After.
    private(set) var closedUntil: Duration = .zero
    private var nextSlot: Duration = .zero
    private var lastDecrease: Duration?
    /// The latest slot that a request had to wait for.
    private var lastHeldBack: Duration?
    /// Up to here the rate doubles; infinite until the first decrease.
    private var steady = Double.infinity
    private(set) var lastUse: Duration = .zero
    let limits: RateSettings

    init(_ limits: RateSettings) {
        self.limits = limits
        rate = limits.start
    }

    /// Takes the next free slot. Times are offsets on one clock.
    ///
    /// - Returns: how long to wait for it. Nil, with no slot taken, if that is longer than `patience`;
    ///   then ``delay(at:)`` tells how long.
    mutating func admit(at now: Duration, patience: Duration) -> Duration? {
        lastUse = now
        let delay = delay(at: now)
        guard delay <= patience else { return nil }
        if nextSlot > now { lastHeldBack = now + delay }
        nextSlot = now + delay + .seconds(1 / rate)
        return delay
    }

    func delay(at now: Duration) -> Duration { max(nextSlot, closedUntil, now) - now }

    /// A good answer that took `latency`.
    mutating func answered(at now: Duration, latency: Duration) {
        if latency > limits.slowAnswer {
            decrease(at: now, factor: limits.slowFactor)
        } else if let lastHeldBack, now - lastHeldBack <= max(latency, .seconds(1)) {
            rate = min(rate + (rate < steady ? limits.increase : limits.increase / rate), limits.ceiling)
        }
    }

    /// 429, 503, or a GraphQL error that means the same.
    mutating func throttled(at now: Duration, retryAfter: Duration?) {
        decrease(at: now, factor: limits.throttleFactor)
        if let retryAfter { closedUntil = max(closedUntil, now + retryAfter) }
    }

    /// The answers to requests that were under way together tell one thing, so the rate falls at most
    /// once per second.
    private mutating func decrease(at now: Duration, factor: Double) {
        if let lastDecrease, now - lastDecrease < .seconds(1) { return }
        lastDecrease = now
        rate = max(rate * factor, limits.floor)
        steady = max(rate, limits.start)
    }
}

/// Limits of the adaptive rate, for one tenant or for the provider as a whole.
package struct RateSettings: Sendable, Equatable {
    /// Requests per second at the start. Default 20 for a tenant, 100 for the provider.
    package var start: Double
    /// Never slower. Default 0.2.
    package var floor = 0.2
    /// Never faster. Default 500 for a tenant, 2 000 for the provider.
    package var ceiling: Double
    /// Added to the rate by every good answer until the first decrease, or up to where the last one
    /// led; from there on by every second of good answers. Default 1.
    package var increase = 1.0
    /// The rate is multiplied by it when the API throttles. Default 0.5.
    package var throttleFactor = 0.5
    /// An answer that took longer counts as a sign of overload. Default 10 s.
    package var slowAnswer: Duration = .seconds(10)
    /// The rate is multiplied by it after a slow answer. Default 0.8.
    package var slowFactor = 0.8

    package init(start: Double, ceiling: Double) {
        self.start = start
        self.ceiling = ceiling
    }

    package static let tenant = RateSettings(start: 20, ceiling: 500)
    package static let provider = RateSettings(start: 100, ceiling: 2000)
}
