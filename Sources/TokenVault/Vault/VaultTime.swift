import LeaseholdCore

/// The injected clock, reduced to what the vault needs.
struct VaultTime: Sendable {
    /// Since the vault was made.
    let now: @Sendable () -> Duration
    let sleep: @Sendable (Duration) async throws -> Void

    init(_ clock: any Clock<Duration>) {
        self = Self.opened(clock)
    }

    private init(now: @escaping @Sendable () -> Duration, sleep: @escaping @Sendable (Duration) async throws -> Void) {
        self.now = now
        self.sleep = sleep
    }

    private static func opened<Some: Clock<Duration>>(_ clock: Some) -> VaultTime {
        let start = clock.now
        return VaultTime(
            now: { start.duration(to: clock.now) },
            sleep: { try await clock.sleep(for: $0) }
        )
    }
}

extension Duration {
    /// Rounded up: a wait must not end before its time.
    var milliseconds: Int64 {
        let (whole, atto) = components
        return whole * 1000 + (atto + 999_999_999_999_999) / 1_000_000_000_000_000
    }
}
