package import Foundation

/// The time of day, injected so that tests decide what time it is.
///
/// Only for values that are compared with a provider's clock or shown to people; everything that
/// workers must agree on is decided by the database's clock, and waiting uses `any Clock<Duration>`.
package protocol WallClock: Sendable {
    func now() -> Date
}

/// The machine's clock.
package struct SystemWallClock: WallClock {
    package init() {}
    package func now() -> Date { Date() }
}

extension Duration {
    /// In seconds, with the fraction.
    package var seconds: Double {
        let (whole, atto) = components
        return Double(whole) + Double(atto) / 1e18
    }
}
