import LeaseholdCore
import TestSupport
import Testing

@testable import Pitchly

@Suite("The adaptive rate")
struct AdaptiveRateTests {
    private let limits = RateSettings(start: 10, ceiling: 12)

    @Test("spaces requests evenly")
    func spacing() {
        var rate = AdaptiveRate(limits)
        #expect(rate.admit(at: .zero, patience: .seconds(1)) == .zero)
        #expect(rate.admit(at: .zero, patience: .seconds(1)) == .milliseconds(100))
        #expect(rate.admit(at: .milliseconds(50), patience: .seconds(1)) == .milliseconds(150))
        #expect(rate.admit(at: .seconds(9), patience: .seconds(1)) == .zero)
    }

    @Test("doubles in the time of as many requests, up to its ceiling, while it holds requests back")
    func increase() {
        var rate = AdaptiveRate(limits)
        for _ in 0..<9 { rate.answered(at: .zero, latency: .zero) }
        #expect(rate.rate == 10, "nobody has waited yet")
        rate.hold(at: .zero)
        rate.answered(at: .milliseconds(200), latency: .zero)
        #expect(rate.rate == 11)
        for _ in 0..<9 { rate.answered(at: .milliseconds(200), latency: .zero) }
        #expect(rate.rate == 12)
    }

    @Test("does not rise by answers to requests that it did not hold back")
    func unused() {
        var rate = AdaptiveRate(limits)
        rate.hold(at: .zero)
        rate.answered(at: .seconds(4), latency: .seconds(1))
        #expect(rate.rate == 10)
        rate.answered(at: .seconds(4), latency: .seconds(4))
        #expect(rate.rate == 11, "the answer to the one that waited")
    }

    @Test("rises by one a second above where a decrease led, but not more slowly than it began")
    func steady() {
        var rate = AdaptiveRate(RateSettings(start: 10, ceiling: 1000))
        for _ in 0..<90 {
            rate.hold(at: .zero)
            rate.answered(at: .milliseconds(100), latency: .zero)
        }
        rate.throttled(at: .seconds(10), retryAfter: nil)
        #expect(rate.rate == 50)
        rate.hold(at: .seconds(10))
        for _ in 0..<50 { rate.answered(at: .seconds(10), latency: .zero) }
        #expect((50.9...51).contains(rate.rate))
        for second in 11..<60 { rate.throttled(at: .seconds(second), retryAfter: nil) }
        #expect(rate.rate == 0.2)
        rate.hold(at: .seconds(60))
        for _ in 0..<10 { rate.answered(at: .seconds(60), latency: .zero) }
        #expect((10...11).contains(rate.rate))
    }

    @Test("halves when throttled, once for answers that belong together, down to its floor")
    func decrease() {
        var rate = AdaptiveRate(limits)
        for _ in 0..<5 { rate.throttled(at: .milliseconds(10), retryAfter: nil) }
        #expect(rate.rate == 5)
        for second in 2..<60 { rate.throttled(at: .seconds(second), retryAfter: nil) }
        #expect(rate.rate == 0.2)
    }

    @Test("falls a little after a slow answer")
    func slow() {
        var rate = AdaptiveRate(limits)
        rate.answered(at: .zero, latency: .seconds(11))
        #expect(rate.rate == 8)
    }

    @Test("sends nothing before Retry-After, and says how long that is")
    func retryAfter() {
        var rate = AdaptiveRate(limits)
        rate.throttled(at: .zero, retryAfter: .seconds(30))
        rate.throttled(at: .seconds(1), retryAfter: .seconds(2))
        #expect(rate.admit(at: .seconds(10), patience: .seconds(5)) == nil)
        #expect(rate.delay(at: .seconds(10)) == .seconds(20))
        #expect(rate.admit(at: .seconds(26), patience: .seconds(5)) == .seconds(4))
    }

    @Test("of one tenant leaves another alone, unless the provider is overloaded")
    func tenants() async throws {
        let clock = TestClock()
        let governor = RateGovernor(tenant: limits, provider: limits, patience: .seconds(5), clock: clock)
        let (slow, other) = (TenantID(rawValue: "slow")!, TenantID(rawValue: "other")!)
        governor.throttled(slow, retryAfter: .seconds(60), isProviderWide: false)
        #expect(try await governor.admit(slow) == .seconds(60))
        #expect(try await governor.admit(other) == nil)
        #expect(governor.rate(of: slow) == 5)
        #expect(governor.rate(of: other) == 10)
        governor.throttled(slow, retryAfter: nil, isProviderWide: true)
        // The provider's second slot is now 200 ms away, for everybody.
        async let admitted = governor.admit(other)
        await clock.sleepers(1)
        clock.advance(by: .milliseconds(100))
        #expect(try await admitted == nil)
    }

    @Test("of the provider comes back after an overload, by the answers that all get")
    func recovery() async throws {
        let clock = TestClock()
        let governor = RateGovernor(tenant: .tenant, provider: limits, patience: .seconds(5), clock: clock)
        let (slow, other) = (TenantID(rawValue: "slow")!, TenantID(rawValue: "other")!)
        for _ in 0..<10 {
            governor.throttled(slow, retryAfter: nil, isProviderWide: true)
            clock.advance(by: .seconds(1))
        }
        #expect(governor.rate == 0.2)
        #expect(try await governor.admit(other) == nil)
        async let second = governor.admit(other)
        await clock.sleepers(1)
        clock.advance(by: .seconds(5))
        #expect(try await second == nil)
        governor.answered(other, latency: .seconds(1))
        #expect(governor.rate == 1.2)
        #expect(governor.rate(of: other) == 20, "it is not what held the request back")
    }
}

extension AdaptiveRate {
    /// One request that takes the slot of `now`, and one that has to wait for the next.
    fileprivate mutating func hold(at now: Duration) {
        _ = admit(at: now, patience: .seconds(60))
        _ = admit(at: now, patience: .seconds(60))
    }
}
