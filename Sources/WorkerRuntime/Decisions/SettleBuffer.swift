package import LeaseholdCore

/// Collects what is to be settled into batches, keeps what could not be written, and says when so
/// much is unwritten that nothing more should be claimed.
///
/// Nothing leaves it but by ``wrote(_:)``: a database that is down for a while loses no outcome.
package struct SettleBuffer<Entry: Sendable>: Sendable {
    package struct Unwritten: Sendable {
        package let entry: Entry
        package let since: Moment
        /// How often it was sent without an answer, or with an error. Above zero, "no such lease"
        /// may mean that an earlier try was written and only its answer was lost.
        package var tries = 0
    }

    package enum Action: Sendable {
        case write([Unwritten])
        case wait(until: Moment?)
    }

    package let pacing: SettlePacing
    private var waiting: [Unwritten] = []
    private var inFlight = 0
    private var batchLimit: Int
    private var retryAt: Moment?
    private var isClosed = false
    private var isSuspect = false

    package init(pacing: SettlePacing) {
        self.pacing = pacing
        self.batchLimit = pacing.largestBatch
    }

    /// Waiting or on the way to the database.
    package var unwritten: Int { waiting.count + inFlight }

    /// Closed at the high-water mark, open again only at the lower mark, so that it does not flap.
    package var isGateOpen: Bool { !isClosed }

    /// - Returns: true if a waiting writer has a new moment to wait for, or something to do.
    package mutating func add(_ entry: Entry, now: Moment) -> Bool {
        waiting.append(Unwritten(entry: entry, since: now))
        moveGate()
        return [1, pacing.largestAlong + 1, pacing.largestBatch].contains(waiting.count)
    }

    package func isDue(now: Moment) -> Bool {
        guard let dueAt else { return false }
        return now >= dueAt
    }

    package mutating func next(now: Moment) -> Action {
        guard let dueAt else { return .wait(until: nil) }
        return now < dueAt ? .wait(until: dueAt) : .write(take())
    }

    /// False while one of the entries may be what the database refuses, which would take the claim that
    /// carries it down with it, and while there are so many that they are better written beside a claim.
    package var maySettleAlong: Bool { !isSuspect && waiting.count <= pacing.largestAlong }

    /// Until when what is due may wait for a claim that is on its way to come back and take it along.
    package var waitsForClaimUntil: Moment? {
        maySettleAlong ? waiting.first.map { $0.since + pacing.linger * 4 } : nil
    }

    /// What a claim may carry along, due or not.
    package mutating func takeAlong(now: Moment) -> [Unwritten] {
        if !maySettleAlong { return [] }
        if let retryAt, now < retryAt { return [] }
        return take()
    }

    package mutating func wrote(_ batch: [Unwritten]) {
        inFlight -= batch.count
        retryAt = nil
        batchLimit = min(pacing.largestBatch, batchLimit * 2)
        if batchLimit == pacing.largestBatch { isSuspect = false }
        moveGate()
    }

    /// The batch stays and is tried again at the moment. With `halving`, in smaller batches, until
    /// the one entry is found that the database will not take.
    package mutating func failed(_ batch: [Unwritten], retryAt: Moment, halving: Bool) {
        inFlight -= batch.count
        waiting.insert(
            contentsOf: batch.map { Unwritten(entry: $0.entry, since: $0.since, tries: $0.tries + 1) },
            at: 0
        )
        self.retryAt = retryAt
        if halving {
            batchLimit = max(1, batch.count / 2)
            isSuspect = true
        }
        moveGate()
    }

    /// Gives up on everything that is waiting: at the end of a shutdown with the database away.
    package mutating func dropWaiting() -> [Unwritten] {
        defer { waiting = [] }
        return waiting
    }

    private var dueAt: Moment? {
        guard let oldest = waiting.first else { return nil }
        let lingering = waiting.count >= batchLimit ? oldest.since : oldest.since + pacing.linger
        return max(lingering, retryAt ?? lingering)
    }

    private mutating func take() -> [Unwritten] {
        let batch = Array(waiting.prefix(batchLimit))
        waiting.removeFirst(batch.count)
        inFlight += batch.count
        return batch
    }

    private mutating func moveGate() {
        if unwritten >= pacing.highWater {
            isClosed = true
        } else if unwritten <= pacing.lowWater {
            isClosed = false
        }
    }
}
