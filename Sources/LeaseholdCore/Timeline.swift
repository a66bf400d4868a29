/// A point in a process's life: the time since its clock was first read.
///
/// Decisions take and return moments, so that they need no clock and a test can say what time it is.
package typealias Moment = Duration

/// Any clock, read as ``Moment``s: an existential clock's instants cannot be stored or compared.
package struct Timeline: Sendable {
    private let read: @Sendable () -> Moment
    private let suspend: @Sendable (Moment) async throws -> Void

    package init(_ clock: any Clock<Duration>) {
        self = Self.reading(clock)
    }

    /// Never runs backwards; with `ContinuousClock` it goes on while the machine sleeps, which the
    /// lapse of a worker needs: the database's clock goes on as well.
    package func now() -> Moment { read() }

    /// - Throws: `CancellationError`, and nothing else.
    package func sleep(until moment: Moment) async throws { try await suspend(moment) }

    package func sleep(for duration: Duration) async throws { try await suspend(read() + duration) }

    private init(
        read: @escaping @Sendable () -> Moment,
        suspend: @escaping @Sendable (Moment) async throws -> Void
    ) {
        self.read = read
        self.suspend = suspend
    }

    private static func reading<C: Clock<Duration>>(_ clock: C) -> Timeline {
        let start = clock.now
        return Timeline(
            read: { start.duration(to: clock.now) },
            suspend: { try await clock.sleep(until: start.advanced(by: $0), tolerance: nil) }
        )
    }
}
