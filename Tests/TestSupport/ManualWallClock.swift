package import Foundation
import LeaseholdCore
import Synchronization

/// A time of day that stands still until a test moves it.
package final class ManualWallClock: WallClock {
    private let time: Mutex<Date>

    /// The default is 2026-01-01 00:00 UTC.
    package init(_ start: Date = Date(timeIntervalSince1970: 1_767_225_600)) {
        time = Mutex(start)
    }

    package func now() -> Date { time.withLock { $0 } }

    package func advance(by duration: Duration) {
        time.withLock { $0 = $0.addingTimeInterval(duration.seconds) }
    }

    package func set(_ date: Date) { time.withLock { $0 = date } }
}
