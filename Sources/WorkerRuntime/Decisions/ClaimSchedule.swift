package import LeaseholdCore

/// Decides when a worker asks the database for jobs, and for how many.
///
/// Busy, it claims as soon as enough slots are free. Having found the queues empty, it polls with
/// growing pauses, or sleeps if notifications can wake it: it sets a flag in the database, and only
/// while that is set an enqueue sends a notification. After setting the flag it looks *once more*:
/// whatever was committed before the flag is found by that look, whatever is committed later sees
/// the flag. Between the two it waits for those who are committing; if one takes long, it looks again
/// soon. A notification that comes while a claim is under way is about what that claim may not have
/// seen, so it is followed by another one, whatever the answer.
package struct ClaimSchedule: Sendable {
    package enum Action: Sendable, Equatable {
        /// woken: a notification has just ended the sleep; another claim will follow soon.
        case claim(limit: Int, Flag, woken: Bool = false)
        /// Nothing to do before the moment; nil: before something happens.
        case wait(until: Moment?)
    }

    /// What a claim does about the sleep flag before it looks.
    package enum Flag: Sendable, Equatable {
        case leave
        case clear
        /// Sets it and asks for the ``Outlook``.
        case set
        /// Asks for the ``Outlook`` again.
        case ask
    }

    /// What the database says after the flag was set.
    package struct Outlook: Sendable, Equatable {
        /// When the next scheduled job comes due, or the next lane opens.
        package let nextDue: Moment?
        /// Transactions are open that may have enqueued without seeing the flag.
        package let isInFlight: Bool

        package init(nextDue: Moment?, isInFlight: Bool) {
            self.nextDue = nextDue
            self.isInFlight = isInFlight
        }
    }

    private enum Mood: Sendable, Equatable {
        /// There may be more jobs. Can become any other.
        case eager
        /// The queues were empty; looks again at the moment. Can become `eager`, `drowsy`.
        case pausing(until: Moment)
        /// The queues were empty and a notification could wake this worker: sets the flag and looks
        /// once more. Can become `asleep`, `eager`.
        case drowsy
        /// The flag is set; looks at the moment in any case. Can become `eager`, `drowsy`.
        case asleep(since: Moment, until: Moment)
    }

    /// What happened since a claim went out: its answer does not know of it.
    private struct UnderWay: Sendable, Equatable {
        /// Something said that there is, or may be, something to claim.
        var isOvertaken = false
        /// The flag that it set may be another life's, or nothing was heard since.
        var isFlagForgotten = false
        /// This worker has sent a job into the future.
        private(set) var due: Moment?

        mutating func isDue(at moment: Moment) { due = min(due ?? moment, moment) }
    }

    package let pacing: ClaimPacing
    private let slots: Int
    private var mood = Mood.eager
    private var batch: BatchSize
    private var pause: Duration
    private var quickPolls = 0
    private var mayBeNotified = false
    private var flaggedUntil: Moment?
    private var shouldClear = false
    private var isInFlight = false
    private var nextDue: Moment?
    private var freeSince: Moment?
    private var retryAt: Moment?
    private var carries = false
    private var isWoken = false
    private var underWay: UnderWay?

    package init(slots: Int, pacing: ClaimPacing) {
        self.slots = slots
        self.pacing = pacing
        self.batch = BatchSize(largest: slots)
        self.pause = pacing.shortestPause
    }

    // MARK: What to do

    /// - Parameter free: slots without a job.
    package mutating func next(now: Moment, free: Int) -> Action {
        let action = decide(now: now, free: free)
        if case .claim = action { underWay = UnderWay() }
        return action
    }

    private mutating func decide(now: Moment, free: Int) -> Action {
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
            return now < until ? .wait(until: until) : .claim(limit: limit, .leave)
        case .drowsy:
            return .claim(limit: limit, .set)
        case .asleep(_, let until):
            if now < until { return .wait(until: until) }
            guard isFlagged(until: now + pacing.asleepPause) else { return .claim(limit: limit, .set) }
            return .claim(limit: limit, isInFlight ? .ask : .leave)
        }
    }

    /// True if a claim could go out now, or only waits for its time: whoever has something to write
    /// may send it along, see ``carry()``.
    package func couldClaim(now: Moment, free: Int) -> Bool {
        guard free > 0 else { return false }
        return retryAt.map { now >= $0 } ?? true
    }

    /// Waits a little for more free slots, since a claim of ten costs little more than one of one.
    private mutating func fill(now: Moment, free: Int, limit: Int) -> Action {
        if !carries, free < pacing.threshold(slots: slots) {
            let since = freeSince ?? now
            freeSince = since
            if now < since + pacing.fillDelay { return .wait(until: since + pacing.fillDelay) }
        }
        defer { isWoken = false }
        guard shouldClear else { return .claim(limit: limit, .leave, woken: isWoken) }
        shouldClear = false
        flaggedUntil = nil
        return .claim(limit: limit, .clear)
    }

    // MARK: What came of it

    /// A claim came back.
    ///
    /// - Parameter outlook: what the database said, if it was asked.
    package mutating func claimed(
        _ count: Int,
        asked: Int,
        took: Duration,
        flag: Flag = .leave,
        outlook: Outlook? = nil,
        now: Moment,
        random: RandomSource
    ) {
        let meanwhile = underWay ?? UnderWay()
        underWay = nil
        retryAt = nil
        freeSince = nil
        carries = false
        batch.claimed(count, asked: asked, took: took)
        if flag == .set, !meanwhile.isFlagForgotten { flaggedUntil = now - took + pacing.flagTime }
        if let outlook {
            nextDue = [outlook.nextDue, meanwhile.due].compactMap { $0 }.min()
            isInFlight = outlook.isInFlight
        }
        if let due = nextDue, due <= now { nextDue = nil }
        // Half a batch or more: there is probably more. Less, and the queues are all but empty.
        if count > 0, 2 * count >= asked {
            mood = .eager
            pause = pacing.shortestPause
            shouldClear = isFlagged(until: now)
        } else if meanwhile.isOvertaken {
            mood = .eager
        } else if !mayBeNotified {
            poll(found: count > 0, now: now, random: random)
        } else if isFlagged(until: now) {
            rest(found: count > 0, now: now, random: random)
        } else if quickPolls > 0 {
            quickPolls -= 1
            mood = .pausing(until: now + pacing.shortestPause)
        } else {
            mood = .drowsy
        }
    }

    package mutating func failed(retryAt: Moment) {
        underWay = nil
        self.retryAt = retryAt
        carries = false
        mood = .eager
        forgetFlag()
    }

    private mutating func poll(found: Bool, now: Moment, random: RandomSource) {
        pause = found ? pacing.shortestPause : min(pause * 2, pacing.longestPause)
        mood = .pausing(until: soonest(now + pause * random.uniform(in: 0.9...1)))
    }

    private mutating func rest(found: Bool, now: Moment, random: RandomSource) {
        var sleep = pacing.asleepPause * random.uniform(in: 0.9...1)
        if found {
            // Only to be sure: what comes after the flag notifies.
            sleep = pacing.fillDelay
        } else if isInFlight {
            pause = min(pause * 2, pacing.asleepPause)
            sleep = pause
        }
        let since = if case .asleep(let since, _) = mood { since } else { now }
        mood = .asleep(since: since, until: soonest(now + sleep))
    }

    private func soonest(_ moment: Moment) -> Moment { min(moment, nextDue ?? moment) }

    private func isFlagged(until moment: Moment) -> Bool { flaggedUntil.map { $0 > moment } ?? false }

    // MARK: What else happened

    /// A notification said that there is something to claim.
    package mutating func notified(now: Moment) {
        if case .asleep = mood { isWoken = true }
        if case .asleep(let since, _) = mood, now - since < pacing.quickWake {
            // Woken almost at once: jobs come so fast that sleeping costs every one of them a
            // NOTIFY, which takes a lock over the whole database. Looks a few times instead.
            quickPolls = pacing.quickPolls
            shouldClear = quickPolls > 0
        } else {
            quickPolls = 0
        }
        mood = .eager
        underWay?.isOvertaken = true
        pause = pacing.shortestPause
    }

    /// A settle was written, or something else happened that may have made a job servable: a tenant
    /// at its cap has a slot again, a sequence goes on. A claim that is under way did not see it, but only
    /// a claim after the flag is set ends in sleep, and from then on what a settle frees notifies.
    package mutating func mayHaveMore() {
        pause = pacing.shortestPause
        switch mood {
        case .asleep(let since, _): mood = .asleep(since: since, until: .zero)
        case .drowsy: break
        case .eager, .pausing: mood = .eager
        }
    }

    /// A job will be due: this worker has just sent it there.
    package mutating func willBeDue(at moment: Moment) {
        nextDue = min(nextDue ?? moment, moment)
        underWay?.isDue(at: moment)
        switch mood {
        case .pausing(let until): mood = .pausing(until: min(until, moment))
        case .asleep(let since, let until): mood = .asleep(since: since, until: min(until, moment))
        case .eager, .drowsy: break
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
        underWay?.isOvertaken = true
        mood = .eager
        pause = pacing.shortestPause
        forgetFlag()
    }

    /// The worker has a new id: claims at once, whatever the old one was waiting for.
    package mutating func restarted() {
        retryAt = nil
        underWay?.isOvertaken = true
        mood = .eager
        pause = pacing.shortestPause
        forgetFlag()
    }

    /// It is not known whether the flag is set.
    private mutating func forgetFlag() {
        flaggedUntil = nil
        underWay?.isFlagForgotten = true
        shouldClear = false
        isInFlight = false
        isWoken = false
    }
}
