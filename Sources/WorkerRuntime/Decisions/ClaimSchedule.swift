package import LeaseholdCore

/// Decides when a worker asks the database for jobs, and for how many.
///
/// Busy, it claims as soon as enough slots are free. Having found the queues empty, it goes to sleep
/// if notifications can wake it, and polls with growing pauses if they cannot. Going to sleep sets a
/// flag in the database and looks *once more* in the same round trip: whatever was enqueued before
/// the flag is found by that look, whatever comes after it sends a notification.
package struct ClaimSchedule: Sendable {
    package enum Action: Sendable, Equatable {
        case claim(limit: Int)
        /// Sets the sleep flag, then claims.
        case sleepAndClaim(limit: Int)
        /// Nothing to do before the moment; nil: before something happens.
        case wait(until: Moment?)
    }

    private enum Mood: Sendable, Equatable {
        /// There may be more jobs. Can become any other.
        case eager
        /// The queues were empty; looks again at the moment. Can become `eager`, `drowsy`.
        case pausing(until: Moment)
        /// The queues were empty and a notification could wake this worker: sets the flag and looks
        /// once more. Can become `asleep`, `eager`.
        case drowsy
        /// The flag is set. Looks at the moment in any case. Can become `eager`.
        case asleep(since: Moment, until: Moment)
    }

    package let pacing: ClaimPacing
    private let slots: Int
    private var mood = Mood.eager
    private var batch: BatchSize
    private var pause: Duration
    private var quickPolls: Int
    private var mayBeNotified = false
    private var freeSince: Moment?
    private var retryAt: Moment?
    private var carries = false

    package init(slots: Int, pacing: ClaimPacing) {
        self.slots = slots
        self.pacing = pacing
        self.batch = BatchSize(largest: slots)
        self.pause = pacing.shortestPause
        self.quickPolls = 0
    }

    /// - Parameter free: slots without a job.
    package mutating func next(now: Moment, free: Int) -> Action {
        guard free > 0 else {
            freeSince = nil
            return .wait(until: nil)
        }
        if let retryAt, now < retryAt { return .wait(until: retryAt) }
        let limit = min(free, batch.limit)
        switch mood {
        case .eager:
            return fill(now: now, free: free, limit: limit)
        case .pausing(let until):
            return now < until ? .wait(until: until) : .claim(limit: limit)
        case .drowsy:
            return .sleepAndClaim(limit: limit)
        case .asleep(_, let until):
            return now < until ? .wait(until: until) : .sleepAndClaim(limit: limit)
        }
    }

    /// True if a claim could go out now, or only waits for its time: whoever has something to write
    /// may send it along, see ``carry()``.
    package func couldClaim(now: Moment, free: Int) -> Bool {
        guard free > 0 else { return false }
        return retryAt.map { now >= $0 } ?? true
    }

    /// A claim came back.
    ///
    /// - Parameter nextDue: when the next scheduled job comes due, as far as the database said.
    package mutating func claimed(
        _ count: Int,
        asked: Int,
        took: Duration,
        asleep: Bool,
        nextDue: Moment?,
        now: Moment,
        random: RandomSource
    ) {
        retryAt = nil
        freeSince = nil
        carries = false
        batch.claimed(count, asked: asked, took: took)
        // Half a batch or more: there is probably more. Less, and the queues are all but empty.
        if count > 0, 2 * count >= asked {
            mood = .eager
            pause = pacing.shortestPause
        } else if !mayBeNotified {
            poll(found: count > 0, nextDue: nextDue, now: now, random: random)
        } else if !asleep {
            rest(now: now)
        } else if count > 0 {
            mood = .drowsy
        } else {
            let latest = now + pacing.asleepPause * random.uniform(in: 0.9...1)
            mood = .asleep(since: now, until: min(latest, nextDue ?? latest))
        }
    }

    package mutating func failed(retryAt: Moment) {
        self.retryAt = retryAt
        carries = false
        mood = .eager
    }

    /// A notification said that there is something to claim.
    package mutating func notified(now: Moment) {
        if case .asleep(let since, _) = mood {
            // Woken almost at once: jobs come so fast that sleeping costs every one of them a
            // NOTIFY, which takes a lock over the whole database. Looks a few times instead.
            quickPolls = now - since < pacing.quickWake ? pacing.quickPolls : 0
        }
        mood = .eager
    }

    /// A settle was written, or something else happened that may have made a job servable: a tenant
    /// at its cap has a slot again, a sequence goes on.
    package mutating func mayHaveMore() {
        pause = pacing.shortestPause
        switch mood {
        case .asleep, .drowsy: mood = .drowsy
        case .eager, .pausing: mood = .eager
        }
    }

    /// Something is to be written, and the next claim goes out at once to carry it.
    ///
    /// - Returns: false if that was asked for before and no claim has gone out since.
    package mutating func carry() -> Bool {
        if carries { return false }
        carries = true
        mayHaveMore()
        return true
    }

    /// Notifications began or ended to arrive. Facts are read again either way.
    package mutating func listening(_ isListening: Bool) {
        mayBeNotified = isListening
        mood = .eager
        pause = pacing.shortestPause
    }

    /// Waits a little for more free slots, since a claim of ten costs little more than one of one.
    private mutating func fill(now: Moment, free: Int, limit: Int) -> Action {
        if carries || free >= pacing.threshold(slots: slots) { return .claim(limit: limit) }
        let since = freeSince ?? now
        freeSince = since
        let latest = since + pacing.fillDelay
        return now < latest ? .wait(until: latest) : .claim(limit: limit)
    }

    private mutating func poll(found: Bool, nextDue: Moment?, now: Moment, random: RandomSource) {
        pause = found ? pacing.shortestPause : min(pause * 2, pacing.longestPause)
        let latest = now + pause * random.uniform(in: 0.9...1)
        mood = .pausing(until: min(latest, nextDue ?? latest))
    }

    private mutating func rest(now: Moment) {
        guard quickPolls > 0 else {
            mood = .drowsy
            return
        }
        quickPolls -= 1
        mood = .pausing(until: now + pacing.shortestPause)
    }
}
