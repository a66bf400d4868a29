import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct ClaimScheduleTests {
    private let random = RandomSource(seed: 7)
    private let pacing = ClaimPacing()

    private func schedule(slots: Int = 16) -> ClaimSchedule {
        ClaimSchedule(slots: slots, pacing: pacing)
    }

    /// Reports a claim that took no time.
    private func report(
        _ schedule: inout ClaimSchedule,
        _ count: Int,
        of asked: Int = 16,
        at now: Moment,
        flag: ClaimSchedule.Flag = .leave,
        nextDue: Moment? = nil,
        isInFlight: Bool = false
    ) {
        let isAsked = flag == .set || flag == .ask
        schedule.claimed(
            count,
            asked: asked,
            took: .zero,
            flag: flag,
            outlook: isAsked ? ClaimSchedule.Outlook(nextDue: nextDue, isInFlight: isInFlight) : nil,
            now: now,
            random: random
        )
    }

    /// One that has found nothing, set the flag and found nothing again.
    private func sleeper(at now: Moment = .zero, nextDue: Moment? = nil, isInFlight: Bool = false) -> ClaimSchedule {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: now)
        report(&schedule, 0, at: now, flag: .set, nextDue: nextDue, isInFlight: isInFlight)
        return schedule
    }

    private func waitMoment(_ action: ClaimSchedule.Action) throws -> Moment {
        guard case .wait(let until) = action else {
            Issue.record("expected to wait, got \(action)")
            return .zero
        }
        return try #require(until)
    }

    @Test func `Asks for as many jobs as there are free slots`() {
        var schedule = schedule()
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave))
        #expect(schedule.next(now: .zero, free: 9) == .claim(limit: 9, .leave))
    }

    @Test func `Waits for a slot when there is none`() {
        var schedule = schedule()
        #expect(schedule.next(now: .zero, free: 0) == .wait(until: nil))
    }

    @Test func `Claims again at once while claims come back full`() {
        var schedule = schedule()
        report(&schedule, 16, of: 16, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave))
    }

    @Test func `A single free slot waits a little for others, then is filled alone`() {
        var schedule = schedule()
        let delay = pacing.fillDelay
        #expect(schedule.next(now: .seconds(1), free: 1) == .wait(until: .seconds(1) + delay))
        #expect(schedule.next(now: .seconds(1) + delay / 2, free: 3) == .wait(until: .seconds(1) + delay))
        #expect(schedule.next(now: .seconds(1) + delay, free: 3) == .claim(limit: 3, .leave))
    }

    @Test func `A quarter of the slots free is filled without waiting`() {
        var schedule = schedule()
        #expect(schedule.next(now: .zero, free: 4) == .claim(limit: 4, .leave))
    }

    @Test func `Polls with doubling pauses up to the longest when nothing can wake it`() throws {
        var schedule = schedule()
        var now = Moment.zero
        var pauses: [Duration] = []
        for _ in 0..<14 {
            report(&schedule, 0, of: 16, at: now)
            let until = try waitMoment(schedule.next(now: now, free: 16))
            pauses.append(until - now)
            #expect(schedule.next(now: until, free: 16) == .claim(limit: 16, .leave))
            now = until
        }
        let pacing = pacing
        #expect(pauses[0] <= pacing.shortestPause * 2)
        #expect(pauses.allSatisfy { $0 <= pacing.longestPause })
        #expect(pauses.suffix(4).allSatisfy { $0 >= .seconds(1) }, "idle workers ask at most once a second")
    }

    @Test func `A job found resets the pause of polling`() throws {
        var schedule = schedule()
        for _ in 0..<10 { report(&schedule, 0, of: 16, at: .zero) }
        report(&schedule, 1, of: 16, at: .zero)
        #expect(try waitMoment(schedule.next(now: .zero, free: 15)) <= pacing.shortestPause)
    }

    @Test func `Goes to sleep by setting the flag and looking once more`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
        report(&schedule, 0, at: .zero, flag: .set)
        let until = try waitMoment(schedule.next(now: .zero, free: 16))
        #expect(until > pacing.asleepPause * 0.8)
        #expect(schedule.next(now: until, free: 16) == .claim(limit: 16, .leave), "looks in any case")
    }

    @Test func `Sets the flag anew before it runs out`() throws {
        var schedule = sleeper()
        var now = Moment.zero
        var flags: [ClaimSchedule.Flag] = []
        while now < .seconds(120) {
            now = try waitMoment(schedule.next(now: now, free: 16))
            guard case .claim(_, let flag, _) = schedule.next(now: now, free: 16) else { break }
            flags.append(flag)
            if flag == .set { #expect(now < pacing.flagTime * flags.count { $0 == .set }) }
            report(&schedule, 0, at: now, flag: flag)
        }
        #expect(flags.count { $0 == .set } == 2)
        #expect(flags.count <= 80, "a sleeping worker looks less than once a second")
    }

    @Test func `A job that slipped in before the flag is found, and it looks again soon`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: .zero)
        report(&schedule, 1, at: .zero, flag: .set)
        #expect(try waitMoment(schedule.next(now: .zero, free: 15)) == pacing.fillDelay)
        #expect(schedule.next(now: pacing.fillDelay, free: 15) == .claim(limit: 15, .leave))
    }

    @Test func `While others may commit without having seen the flag it looks again with growing pauses`() throws {
        var schedule = sleeper(isInFlight: true)
        var now = Moment.zero
        var pauses: [Duration] = []
        for _ in 0..<12 {
            let until = try waitMoment(schedule.next(now: now, free: 16))
            pauses.append(until - now)
            now = until
            #expect(schedule.next(now: now, free: 16) == .claim(limit: 16, .ask))
            report(&schedule, 0, at: now, flag: .ask, isInFlight: true)
        }
        #expect(pauses[0] <= pacing.shortestPause * 2)
        #expect(pauses.last == pacing.asleepPause)
        report(&schedule, 0, at: now, flag: .ask)
        let until = try waitMoment(schedule.next(now: now, free: 16))
        #expect(schedule.next(now: until, free: 16) == .claim(limit: 16, .leave), "nothing is in flight any more")
    }

    @Test func `A notification ends the sleep, and without more jobs the flag need not be set again`() throws {
        var schedule = sleeper()
        schedule.notified(now: .seconds(1))
        #expect(schedule.next(now: .seconds(1), free: 16) == .claim(limit: 16, .leave, woken: true))
        report(&schedule, 1, at: .seconds(1))
        let soon = try waitMoment(schedule.next(now: .seconds(1), free: 15))
        #expect(schedule.next(now: soon, free: 15) == .claim(limit: 15, .leave))
        report(&schedule, 0, of: 15, at: soon)
        #expect(try waitMoment(schedule.next(now: soon, free: 15)) > soon + .seconds(1))
    }

    @Test func `Woken to a full load it clears the flag, so that enqueues stop notifying`() {
        var schedule = sleeper()
        schedule.notified(now: .seconds(1))
        report(&schedule, 16, at: .seconds(1))
        #expect(schedule.next(now: .seconds(1), free: 16) == .claim(limit: 16, .clear))
        report(&schedule, 16, at: .seconds(1), flag: .clear)
        #expect(schedule.next(now: .seconds(1), free: 16) == .claim(limit: 16, .leave))
        report(&schedule, 0, at: .seconds(1))
        #expect(schedule.next(now: .seconds(1), free: 16) == .claim(limit: 16, .set))
    }

    @Test func `Sleeps no longer than until the next job is due`() throws {
        var schedule = sleeper(nextDue: .milliseconds(300))
        #expect(try waitMoment(schedule.next(now: .zero, free: 16)) == .milliseconds(300))
        report(&schedule, 0, at: .milliseconds(300))
        #expect(try waitMoment(schedule.next(now: .milliseconds(300), free: 16)) > .seconds(1))
        schedule.willBeDue(at: .milliseconds(900))
        #expect(try waitMoment(schedule.next(now: .milliseconds(300), free: 16)) == .milliseconds(900))
    }

    @Test func `Woken again and again at once, it clears the flag and looks a few times before it sleeps`() throws {
        var schedule = sleeper()
        schedule.notified(now: .milliseconds(1))
        #expect(schedule.next(now: .milliseconds(1), free: 16) == .claim(limit: 16, .clear))
        for look in 0..<pacing.quickPolls {
            let now = Moment.milliseconds(2 + look)
            report(&schedule, 1, at: now, flag: look == 0 ? .clear : .leave)
            #expect(try waitMoment(schedule.next(now: now, free: 15)) == now + pacing.shortestPause)
        }
        report(&schedule, 1, at: .milliseconds(30))
        #expect(schedule.next(now: .milliseconds(30), free: 15) == .claim(limit: 15, .set))
    }

    @Test func `After a failure it waits, then claims`() {
        var schedule = schedule()
        schedule.failed(retryAt: .seconds(2))
        #expect(schedule.next(now: .seconds(1), free: 16) == .wait(until: .seconds(2)))
        #expect(!schedule.couldClaim(now: .seconds(1), free: 16))
        #expect(schedule.next(now: .seconds(2), free: 16) == .claim(limit: 16, .leave))
    }

    @Test func `A claim says that a notification ended the sleep, once`() throws {
        var schedule = sleeper()
        schedule.notified(now: .seconds(1))
        #expect(schedule.next(now: .seconds(1), free: 16) == .claim(limit: 16, .leave, woken: true))
        report(&schedule, 1, at: .seconds(1))
        let soon = try waitMoment(schedule.next(now: .seconds(1), free: 15))
        #expect(soon <= .seconds(1) + pacing.fillDelay, "the rest is looked for soon")
        #expect(schedule.next(now: soon, free: 15) == .claim(limit: 15, .leave))
    }

    @Test func `A written settle makes a sleeper look again at once`() throws {
        var schedule = sleeper()
        schedule.mayHaveMore()
        #expect(schedule.next(now: .milliseconds(1), free: 1) == .claim(limit: 1, .leave))
    }

    @Test func `A claim that carries outcomes does not wait for more free slots, once`() {
        var schedule = schedule()
        let asked = [schedule.carry(), schedule.carry()]
        #expect(asked == [true, false])
        #expect(schedule.next(now: .zero, free: 1) == .claim(limit: 1, .leave))
        report(&schedule, 1, of: 1, at: .zero)
        let again = schedule.carry()
        #expect(again)
    }

    @Test func `Losing the notifications means polling`() throws {
        var schedule = sleeper()
        schedule.listening(false)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave))
        report(&schedule, 0, at: .zero)
        #expect(try waitMoment(schedule.next(now: .zero, free: 16)) <= pacing.shortestPause * 2)
    }

    @Test func `A claim without an answer may or may not have set the flag, so it is set again`() {
        var schedule = sleeper()
        schedule.failed(retryAt: .zero)
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
    }

    @Test func `A new life claims at once and sets the flag of its own`() {
        var schedule = sleeper()
        schedule.failed(retryAt: .seconds(5))
        schedule.restarted()
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave))
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
    }

    /// The sequence that loses a wake: the flag is set, the claim looks, an enqueue commits and notifies, and
    /// the claim's answer, which does not know of it, arrives after the notification.
    @Test func `A notification that overtakes the answer of a claim is followed by another claim`() {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
        schedule.notified(now: .zero)
        report(&schedule, 0, at: .zero, flag: .set)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave), "with the flag still set")
        report(&schedule, 0, at: .zero)
        guard case .wait = schedule.next(now: .zero, free: 16) else {
            Issue.record("expected to sleep once a claim has looked after the notification")
            return
        }
    }

    @Test func `A notification during the look of a sleeper is followed by another claim`() throws {
        var schedule = sleeper()
        let until = try waitMoment(schedule.next(now: .zero, free: 16))
        #expect(schedule.next(now: until, free: 16) == .claim(limit: 16, .leave))
        schedule.notified(now: until)
        report(&schedule, 0, at: until)
        #expect(schedule.next(now: until, free: 16) == .claim(limit: 16, .leave, woken: true))
    }

    /// Between the flag and the new connection nobody heard anything.
    @Test func `Hearing anew while the flag is being set means to look, and to set it again`() {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
        schedule.listening(false)
        schedule.listening(true)
        report(&schedule, 0, at: .zero, flag: .set)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave))
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
    }

    @Test func `A flag that was set for a former life is set again for the new one`() {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
        schedule.restarted()
        report(&schedule, 0, at: .zero, flag: .set)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .leave))
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
    }

    @Test func `A retry that was written while the outlook was asked for is not overslept`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16, .set))
        schedule.willBeDue(at: .milliseconds(300))
        report(&schedule, 0, at: .zero, flag: .set, nextDue: .seconds(90))
        #expect(try waitMoment(schedule.next(now: .zero, free: 16)) == .milliseconds(300))
    }

    @Test func `Batches grow while full claims are quick and shrink when one is slow`() {
        var batch = BatchSize(largest: 1_000)
        #expect(batch.limit == 32)
        batch.claimed(32, asked: 32, took: .milliseconds(2))
        #expect(batch.limit == 64)
        batch.claimed(10, asked: 64, took: .milliseconds(2))
        #expect(batch.limit == 64, "a claim that was not full says nothing")
        batch.claimed(64, asked: 64, took: .milliseconds(200))
        #expect(batch.limit == 32)
        for _ in 0..<20 { batch.claimed(0, asked: 1, took: .seconds(1)) }
        #expect(batch.limit == 1)
        for _ in 0..<20 { batch.claimed(batch.limit, asked: batch.limit, took: .zero) }
        #expect(batch.limit == 1_000)
    }
}
