package import Foundation
import Synchronization

/// The fake's time of day: a base clock, the machine's by default, and what was added by hand. It
/// decides when tokens expire and records change; waiting is done on a real clock.
package final class FakeClock: Sendable {
    private let base: @Sendable () -> Date
    private let ahead = Mutex<Duration>(.zero)

    package init(base: @escaping @Sendable () -> Date = { Date() }) { self.base = base }

    /// Milliseconds since 1970.
    package var now: Int {
        let (seconds, attoseconds) = ahead.withLock { $0 }.components
        return Int(base().timeIntervalSince1970 * 1_000) + Int(seconds) * 1_000
            + Int(attoseconds / 1_000_000_000_000_000)
    }

    package func advance(by duration: Duration) { ahead.withLock { $0 += duration } }
}
