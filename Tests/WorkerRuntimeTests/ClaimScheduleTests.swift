import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct ClaimScheduleTests {
    private let random = RandomSource(seed: 7)

    private func schedule(slots: Int = 16) -> ClaimSchedule {
        ClaimSchedule(slots: slots, pacing: ClaimPacing())
    }

    /// Reports a claim that took 1 ms.
    private func report(
        _ schedule: inout ClaimSchedule,
        _ count: Int,
        of asked: Int,
        at now: Moment,
        asleep: Bool = false,
        nextDue: Moment? = nil
    ) {
        schedule.claimed(
            count,
            asked: asked,
            took: .milliseconds(1),
            asleep: asleep,
            nextDue: nextDue,
            now: now,
            random: random
        )
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
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16))
        #expect(schedule.next(now: .zero, free: 9) == .claim(limit: 9))
    }

    @Test func `Waits for a slot when there is none`() {
        var schedule = schedule()
        #expect(schedule.next(now: .zero, free: 0) == .wait(until: nil))
    }

    @Test func `Claims again at once while claims come back full`() {
        var schedule = schedule()
        report(&schedule, 16, of: 16, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16))
    }

    @Test func `A single free slot waits a little for others, then is filled alone`() {
        var schedule = schedule()
        let delay = ClaimPacing().fillDelay
        #expect(schedule.next(now: .seconds(1), free: 1) == .wait(until: .seconds(1) + delay))
        #expect(schedule.next(now: .seconds(1) + delay / 2, free: 3) == .wait(until: .seconds(1) + delay))
        #expect(schedule.next(now: .seconds(1) + delay, free: 3) == .claim(limit: 3))
    }

    @Test func `A quarter of the slots free is filled without waiting`() {
        var schedule = schedule()
        #expect(schedule.next(now: .zero, free: 4) == .claim(limit: 4))
    }

    @Test func `Polls with doubling pauses up to the longest when nothing can wake it`() throws {
        var schedule = schedule()
        var now = Moment.zero
        var pauses: [Duration] = []
        for _ in 0..<14 {
            report(&schedule, 0, of: 16, at: now)
            let until = try waitMoment(schedule.next(now: now, free: 16))
            pauses.append(until - now)
            #expect(schedule.next(now: until, free: 16) == .claim(limit: 16))
            now = until
        }
        let pacing = ClaimPacing()
        #expect(pauses[0] <= pacing.shortestPause * 2)
        #expect(pauses.allSatisfy { $0 <= pacing.longestPause })
        #expect(pauses.suffix(4).allSatisfy { $0 >= .seconds(1) }, "idle workers ask at most once a second")
    }

    @Test func `A job found resets the pause of polling`() throws {
        var schedule = schedule()
        for _ in 0..<10 { report(&schedule, 0, of: 16, at: .zero) }
        report(&schedule, 1, of: 16, at: .zero)
        #expect(try waitMoment(schedule.next(now: .zero, free: 15)) <= ClaimPacing().shortestPause)
    }

    @Test func `Goes to sleep by setting the flag and looking once more`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero)
        #expect(schedule.next(now: .zero, free: 16) == .sleepAndClaim(limit: 16))
        report(&schedule, 0, of: 16, at: .zero, asleep: true)
        let until = try waitMoment(schedule.next(now: .zero, free: 16))
        #expect(until > ClaimPacing().asleepPause * 0.8)
        #expect(schedule.next(now: until, free: 16) == .sleepAndClaim(limit: 16), "looks in any case")
    }

    @Test func `A job that slipped in before the flag keeps it awake`() {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero)
        report(&schedule, 1, of: 16, at: .zero, asleep: true)
        #expect(schedule.next(now: .zero, free: 15) == .sleepAndClaim(limit: 15))
    }

    @Test func `A notification ends the sleep`() {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero, asleep: true)
        schedule.notified(now: .seconds(1))
        #expect(schedule.next(now: .seconds(1), free: 16) == .claim(limit: 16))
    }

    @Test func `Sleeps no longer than until the next scheduled job is due`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero, asleep: true, nextDue: .milliseconds(300))
        #expect(try waitMoment(schedule.next(now: .zero, free: 16)) == .milliseconds(300))
    }

    @Test func `Woken again and again at once, it looks a few times before it sleeps`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero, asleep: true)
        schedule.notified(now: .milliseconds(1))
        for look in 0..<ClaimPacing().quickPolls {
            report(&schedule, 1, of: 16, at: .milliseconds(2 + look))
            let now = Moment.milliseconds(2 + look)
            #expect(try waitMoment(schedule.next(now: now, free: 15)) == now + ClaimPacing().shortestPause)
        }
        report(&schedule, 1, of: 16, at: .milliseconds(30))
        #expect(schedule.next(now: .milliseconds(30), free: 15) == .sleepAndClaim(limit: 15))
    }

    @Test func `After a failure it waits, then claims`() {
        var schedule = schedule()
        schedule.failed(retryAt: .seconds(2))
        #expect(schedule.next(now: .seconds(1), free: 16) == .wait(until: .seconds(2)))
        #expect(!schedule.couldClaim(now: .seconds(1), free: 16))
        #expect(schedule.next(now: .seconds(2), free: 16) == .claim(limit: 16))
    }

    @Test func `A written settle makes a sleeper look again without leaving its sleep`() {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero, asleep: true)
        schedule.mayHaveMore()
        #expect(schedule.next(now: .milliseconds(1), free: 1) == .sleepAndClaim(limit: 1))
    }

    @Test func `Losing the notifications means polling`() throws {
        var schedule = schedule()
        schedule.listening(true)
        report(&schedule, 0, of: 16, at: .zero, asleep: true)
        schedule.listening(false)
        #expect(schedule.next(now: .zero, free: 16) == .claim(limit: 16))
        report(&schedule, 0, of: 16, at: .zero)
        #expect(try waitMoment(schedule.next(now: .zero, free: 16)) <= ClaimPacing().shortestPause * 2)
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
