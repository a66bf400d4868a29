/// The pauses of ``ClaimSchedule``.
package struct ClaimPacing: Sendable, Equatable {
    /// Between the first looks at an empty queue; doubled from look to look. Default 5 ms.
    package var shortestPause: Duration
    /// Between looks while nothing can wake the worker. Default 2 s, which leaves room for
    /// heartbeats, rescue and schedules within one idle query per second; also the longest a job waits
    /// behind PgBouncer, where notifications do not pass.
    package var longestPause: Duration
    /// Between looks while notifications can wake the worker. Default 2 s: also the most by which a
    /// scheduled job that came after the worker fell asleep may be late.
    package var asleepPause: Duration
    /// How long the sleep flag holds; set anew before it runs out. Default 60 s.
    package var flagTime: Duration
    /// How long a free slot waits for others before it is filled alone. Default 5 ms.
    package var fillDelay: Duration
    /// A sleep that ended sooner counts as quick. Default 5 ms.
    package var quickWake: Duration
    /// Looks before sleeping again after a quick sleep. Default 4.
    package var quickPolls: Int

    package init(
        shortestPause: Duration = .milliseconds(5),
        longestPause: Duration = .seconds(2),
        asleepPause: Duration = .seconds(2),
        flagTime: Duration = .seconds(60),
        fillDelay: Duration = .milliseconds(5),
        quickWake: Duration = .milliseconds(5),
        quickPolls: Int = 4
    ) {
        self.shortestPause = shortestPause
        self.longestPause = longestPause
        self.asleepPause = asleepPause
        self.flagTime = flagTime
        self.fillDelay = fillDelay
        self.quickWake = quickWake
        self.quickPolls = quickPolls
    }

    /// Free slots that make a claim worth its round trip at once: a quarter of all, at least one.
    package func threshold(slots: Int) -> Int { max(1, slots / 4) }
}
