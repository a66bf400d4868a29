internal import JobQueue

/// Decides how a worker looks for schedules that are due: how far back and how soon again.
///
/// A long transaction elsewhere keeps the index entries of everything that was fired since it began;
/// a look that goes back to the beginning reads them all. So while there is something to fire, most
/// looks go back a minute only, and what is left from before waits for the next whole one.
struct ScheduleLooks: Sendable, Equatable {
    /// Turns fired by one call, in one transaction.
    static let most = 500
    static let lookBack: Duration = .seconds(60)
    /// Short looks between two whole ones.
    static let shortLooks = 19
    /// Between two looks: slots that come closer together are fired together.
    static let shortestPause: Duration = .milliseconds(500)

    private var shortLooksLeft = 0
    private var wasWhole = true

    /// How far back the next look goes; nil is to the beginning.
    mutating func next() -> Duration? {
        wasWhole = shortLooksLeft == 0
        if wasWhole { return nil }
        shortLooksLeft -= 1
        return Self.lookBack
    }

    /// - Returns: how long until the next look; nil if no turn is known.
    mutating func fired(_ fired: FiredSchedules) -> Duration? {
        if fired.turns == 0 || fired.hasMore {
            shortLooksLeft = 0
        } else if wasWhole {
            shortLooksLeft = Self.shortLooks
        }
        return fired.hasMore ? .zero : fired.nextIn.map { max($0, Self.shortestPause) }
    }
}
