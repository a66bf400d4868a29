import Synchronization

/// A clock that only a test moves.
final class ManualTime: Sendable {
    private let value = Mutex(Duration.zero)

    var now: Duration { value.withLock { $0 } }

    func advance(_ duration: Duration) { value.withLock { $0 += duration } }
}
