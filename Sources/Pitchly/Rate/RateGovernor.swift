package import LeaseholdCore
import Synchronization

/// Keeps the pace of this process's requests, for each tenant and for the provider as a whole, so
/// that one tenant's throttling slows that tenant, and the provider's overload slows all.
///
/// Each process adapts by itself: what others send shows in the answers all get.
package final class RateGovernor: Sendable {
    private let tenantLimits: RateSettings
    /// The longest wait for a slot; a caller that would wait longer is told so instead.
    let patience: Duration
    private let elapsed: @Sendable () -> Duration
    private let sleep: @Sendable (Duration) async throws -> Void
    private let state: Mutex<State>

    private struct State {
        var provider: AdaptiveRate
        var tenants: [TenantID: AdaptiveRate] = [:]
    }

    /// - Parameter patience: default 5 s.
    package init(
        tenant: RateSettings = .tenant,
        provider: RateSettings = .provider,
        patience: Duration = .seconds(5),
        clock: some Clock<Duration> = ContinuousClock()
    ) {
        tenantLimits = tenant
        self.patience = patience
        let start = clock.now
        elapsed = { start.duration(to: clock.now) }
        sleep = { try await clock.sleep(for: $0) }
        state = Mutex(State(provider: AdaptiveRate(provider)))
    }

    /// Waits for the tenant's next slot.
    ///
    /// - Returns: nil when it has come; else, without waiting, how long it would take.
    func admit(_ tenant: TenantID) async throws -> Duration? {
        let now = elapsed()
        let wait: (Duration, isShort: Bool) = state.withLock { state in
            forgetIdle(&state, now)
            var own = state.tenants[tenant] ?? AdaptiveRate(tenantLimits)
            let delay = max(own.delay(at: now), state.provider.delay(at: now))
            guard delay <= patience else { return (delay, false) }
            _ = own.admit(at: now, patience: patience)
            _ = state.provider.admit(at: now, patience: patience)
            state.tenants[tenant] = own
            return (delay, true)
        }
        guard wait.isShort else { return wait.0 }
        if wait.0 > .zero { try await sleep(wait.0) }
        return nil
    }

    /// A slow answer slows the tenant alone: what it asked for may be large.
    func answered(_ tenant: TenantID, latency: Duration) {
        let now = elapsed()
        change(tenant) { $0.answered(at: $1, latency: latency) }
        state.withLock { state in
            state.provider.answered(at: now, latency: min(latency, state.provider.limits.slowAnswer))
        }
    }

    /// Slows the tenant. The provider as a whole is slowed only by what is no tenant's own doing.
    func throttled(_ tenant: TenantID, retryAfter: Duration?, isProviderWide: Bool) {
        let now = elapsed()
        change(tenant) { $0.throttled(at: $1, retryAfter: retryAfter) }
        if isProviderWide { state.withLock { $0.provider.throttled(at: now, retryAfter: nil) } }
    }

    /// Requests per second that a tenant is given now.
    package func rate(of tenant: TenantID) -> Double {
        state.withLock { $0.tenants[tenant]?.rate ?? tenantLimits.start }
    }

    /// Requests per second that all tenants together are given now.
    package var rate: Double { state.withLock { $0.provider.rate } }

    private func change(_ tenant: TenantID, _ body: (inout AdaptiveRate, Duration) -> Void) {
        let now = elapsed()
        state.withLock { state in
            var own = state.tenants[tenant] ?? AdaptiveRate(tenantLimits)
            body(&own, now)
            state.tenants[tenant] = own
        }
    }

    /// A tenant that was quiet for ten minutes starts anew; otherwise every tenant ever seen would
    /// stay in memory.
    private func forgetIdle(_ state: inout State, _ now: Duration) {
        guard state.tenants.count > 1000 else { return }
        state.tenants = state.tenants.filter { now - $0.value.lastUse < .seconds(600) }
    }
}
