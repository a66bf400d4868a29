/// The pauses and marks of ``SettleBuffer``.
package struct SettlePacing: Sendable, Equatable {
    /// How long an outcome waits for others to be written with. Default 3 ms.
    package var linger: Duration
    /// Outcomes in one statement. Default 500.
    package var largestBatch: Int
    /// Outcomes that a claim carries along, and may wait for. More are written beside it: the time that
    /// two sessions save by working at once is then more than a commit costs. Default 32.
    package var largestAlong: Int
    /// Unwritten outcomes at which claiming stops. Default 2 000.
    package var highWater: Int
    /// Unwritten outcomes at which claiming goes on. Default 1 000.
    package var lowWater: Int

    package init(
        linger: Duration = .milliseconds(3),
        largestBatch: Int = 500,
        largestAlong: Int = 32,
        highWater: Int = 2_000,
        lowWater: Int = 1_000
    ) {
        self.linger = linger
        self.largestBatch = largestBatch
        self.largestAlong = largestAlong
        self.highWater = highWater
        self.lowWater = lowWater
    }
}
