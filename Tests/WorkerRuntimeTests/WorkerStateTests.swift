import JobQueue
import LeaseholdCore
import Testing

@testable import WorkerRuntime

@Suite struct WorkerStateTests {
    private let random = RandomSource(seed: 1)

    /// A registered worker of four slots that has just looked and found `jobs`.
    private func state(running jobs: [ClaimedJob] = [], at now: Moment = .zero) -> WorkerState {
        var settings = WorkerSettings(name: "w")
        settings.slots = 4
        var state = WorkerState(settings: settings)
        state.registered(sent: now, as: WorkerID())
        guard !jobs.isEmpty else { return state }
        _ = state.nextClaim(now: now)
        finishClaim(&state, jobs, at: now)
        return state
    }

    private func finishClaim(_ state: inout WorkerState, _ jobs: [ClaimedJob], at now: Moment) {
        state.claims.claimed(
            jobs.count,
            asked: 4,
            took: .milliseconds(1),
            now: now,
            random: random
        )
        _ = state.claimed(jobs, by: state.id)
    }

    private func end(_ state: inout WorkerState, _ job: ClaimedJob, at now: Moment) -> WorkerState.Wakes {
        state.ended(PendingSettle(job: job, verdict: Verdict(.completed)), now: now)
    }

    private func trip(_ step: WorkerState.ClaimStep) -> WorkerState.ClaimTrip? {
        if case .trip(let trip) = step { trip } else { nil }
    }

    @Test func `Claims nothing before it is registered`() {
        var state = WorkerState(settings: WorkerSettings(name: "w"))
        guard case .wait(until: nil) = state.nextClaim(now: .zero) else {
            Issue.record("expected to wait for the registration")
            return
        }
    }

    @Test func `A claim takes the waiting outcomes along`() throws {
        let jobs = [claimedJob(1), claimedJob(2), claimedJob(3), claimedJob(4)]
        var state = state(running: jobs)
        _ = end(&state, jobs[0], at: .seconds(1))
        let next = state.nextClaim(now: .seconds(1))
        let carrier = try #require(trip(next))
        #expect(carrier.limit == 1)
        #expect(carrier.settles.map(\.entry.job.id) == [jobs[0].id])
    }

    @Test func `An outcome that is due sends a claim along, once, and goes alone if none went`() {
        let job = claimedJob(1)
        var state = state(running: [job])
        _ = end(&state, job, at: .zero)
        let due = state.settles.pacing.linger
        guard case .handOver(let until) = state.nextSettle(now: due) else {
            Issue.record("expected the outcome to be handed to a claim")
            return
        }
        guard case .write(let batch) = state.nextSettle(now: until) else {
            Issue.record("expected the outcome to be written alone")
            return
        }
        #expect(batch.count == 1)
    }

    @Test func `While a claim is on its way outcomes are written alone`() {
        let job = claimedJob(1)
        var state = state(running: [job])
        _ = state.nextClaim(now: .seconds(1))
        _ = state.nextClaim(now: .seconds(1) + ClaimPacing().shortestPause)
        #expect(state.isClaiming)
        _ = end(&state, job, at: .seconds(2))
        guard case .write = state.nextSettle(now: .seconds(3)) else {
            Issue.record("expected the outcome to be written alone")
            return
        }
    }

    @Test func `Jobs that come back after the worker began to stop are not started`() {
        var state = state()
        _ = state.nextClaim(now: .zero)
        _ = state.shutdown.stopRequested(now: .zero)
        #expect(state.claimed([claimedJob(1)], by: state.id) == nil)
        #expect(state.running.count == 0)
        #expect(state.isHeld(claimedJob(1).key), "until its hand-back is written")
    }

    @Test func `Jobs claimed in an earlier life are not started`() {
        var state = state()
        let earlier = state.id
        _ = state.nextClaim(now: .zero)
        state.registered(sent: .seconds(1), as: WorkerID())
        #expect(state.claimed([claimedJob(1)], by: earlier) == nil)
    }

    @Test func `A new life hands back what the former never heard of, then signs it off when its last run is answered`()
    {
        let job = claimedJob(1)
        var state = state(running: [job])
        let former = state.id
        _ = state.tick(now: .seconds(22))
        state.registered(sent: .seconds(24), as: WorkerID())
        guard case .formerLife(.search(former)) = state.nextClaim(now: .seconds(24)) else {
            Issue.record("expected to look for jobs that the former life never heard of")
            return
        }
        state.formerLives.failed(retryAt: .seconds(25))
        #expect(trip(state.nextClaim(now: .seconds(24))) != nil, "claims do not wait for it")
        guard case .formerLife(.search(former)) = state.nextClaim(now: .seconds(25)) else {
            Issue.record("expected to look again after a failure")
            return
        }
        state.formerLives.did(.search(former))
        if case .formerLife = state.nextClaim(now: .seconds(26)) { Issue.record("its run goes on here") }
        _ = end(&state, job, at: .seconds(27))
        if case .formerLife = state.nextClaim(now: .seconds(27)) { Issue.record("its outcome is not written") }
        state.answered(job.key)
        guard case .formerLife(.signOff(former)) = state.nextClaim(now: .seconds(28)) else {
            Issue.record("expected to sign the former life off")
            return
        }
        state.formerLives.did(.signOff(former))
        if case .formerLife = state.nextClaim(now: .seconds(29)) { Issue.record("expected it to be over") }
    }

    @Test func `A first registration has no former life`() {
        var state = state()
        if case .formerLife = state.nextClaim(now: .zero) { Issue.record("expected none") }
    }

    @Test func `Is done when it stops and the last job has ended`() {
        let job = claimedJob(1)
        var state = state(running: [job])
        _ = state.shutdown.stopRequested(now: .zero)
        guard case .wait = state.nextClaim(now: .zero) else {
            Issue.record("expected to wait for the running job")
            return
        }
        let wakes = end(&state, job, at: .zero)
        #expect(wakes.claimLoop)
        guard case .done = state.nextClaim(now: .zero) else {
            Issue.record("expected to be done")
            return
        }
    }

    @Test func `A run is held until its outcome is answered, by job and run`() {
        let job = claimedJob(1, run: 7)
        var state = state(running: [job])
        _ = end(&state, job, at: .zero)
        #expect(state.isHeld(job.key))
        #expect(!state.isHeld(claimedJob(1, run: 8).key))
        state.answered(job.key)
        #expect(!state.isHeld(job.key))
    }

    @Test func `Looks for stray jobs after a claim without an answer`() {
        var state = state()
        _ = state.nextClaim(now: .zero)
        state.claimFailed(now: .zero, retryAt: .seconds(1))
        guard case .reconcile = state.nextClaim(now: .seconds(1)) else {
            Issue.record("expected to look for stray jobs")
            return
        }
        #expect(trip(state.nextClaim(now: .seconds(1))) != nil)
    }

    @Test func `Strays are looked for again before the next claim if the look failed`() {
        var state = state()
        _ = state.nextClaim(now: .zero)
        state.claimFailed(now: .zero, retryAt: .seconds(1))
        _ = state.nextClaim(now: .seconds(1))
        state.claimFailed(now: .seconds(1), retryAt: .seconds(2))
        guard case .reconcile = state.nextClaim(now: .seconds(2)) else {
            Issue.record("expected to look for stray jobs")
            return
        }
    }

    @Test func `A full house of unwritten outcomes stops the claims until half is written`() throws {
        var settings = WorkerSettings(name: "w")
        settings.settles = SettlePacing(highWater: 2, lowWater: 1)
        settings.slots = 4
        var state = WorkerState(settings: settings)
        state.registered(sent: .zero, as: WorkerID())
        _ = state.nextClaim(now: .zero)
        let jobs = [claimedJob(1), claimedJob(2)]
        finishClaim(&state, jobs, at: .zero)
        for job in jobs { _ = end(&state, job, at: .zero) }
        #expect(trip(state.nextClaim(now: .seconds(1))) == nil)
        guard case .write(let batch) = state.nextSettle(now: .seconds(1)) else {
            Issue.record("expected the outcomes to be written")
            return
        }
        state.settles.wrote(batch)
        #expect(trip(state.nextClaim(now: .seconds(1))) != nil)
    }

    @Test func `Time brings the timeout of a job that runs too long, once`() throws {
        let jobs = [claimedJob(1), claimedJob(2)]
        var state = state(running: jobs)
        state.running.began(
            jobs[0].key,
            deadline: RunningJobs.Deadline(moment: .seconds(3), limit: .seconds(3))
        )
        #expect(state.isWatchLate(for: .seconds(3)))
        #expect(state.planWatch() == .seconds(3))
        #expect(state.isWatchLate(for: .seconds(2)))
        #expect(!state.isWatchLate(for: .seconds(4)))
        #expect(!state.isWatchLate(for: nil))
        #expect(state.tick(now: .seconds(2)).stops.isEmpty)
        let due = state.tick(now: .seconds(3))
        #expect(due.stops.map(\.entry.job.id) == [jobs[0].id])
        #expect(due.stops.map(\.reason) == [.timeout(.seconds(3))])
        #expect(state.tick(now: .seconds(4)).stops.isEmpty)
    }

    @Test func `Time brings the lapse, which stops every job and every claim`() {
        let jobs = [claimedJob(1), claimedJob(2)]
        var state = state(running: jobs)
        let due = state.tick(now: .seconds(22))
        #expect(due.isLapse)
        #expect(Set(due.stops.map(\.entry.job.id)) == Set(jobs.map(\.id)))
        #expect(due.stops.allSatisfy { $0.reason == .leaseLost })
        #expect(trip(state.nextClaim(now: .seconds(22))) == nil)
    }

    @Test func `Time ends the drain, and a handler that does not stop is reported once`() {
        let job = claimedJob(1)
        var state = state(running: [job])
        state.registered(sent: .seconds(10), as: WorkerID())
        _ = state.shutdown.stopRequested(now: .zero)
        let due = state.tick(now: .seconds(20))
        #expect(due.endsDrain)
        #expect(due.stops.map(\.reason) == [.shutdown])
        #expect(state.tick(now: .seconds(29)).stuck.isEmpty)
        #expect(state.tick(now: .seconds(30)).stuck.map(\.id) == [job.id])
        #expect(state.tick(now: .seconds(31)).stuck.isEmpty)
    }

    @Test func `A drain stops the jobs that wait for others of their kind, and no others`() {
        let jobs = [claimedJob(1), claimedJob(2)]
        var state = state(running: jobs)
        state.running.began(jobs[0].key, deadline: nil)
        #expect(state.stopWaiting(now: .zero).map(\.entry.job.id) == [jobs[1].id])
    }

    @Test func `The claim loop is woken for the first free slot, for enough of them and for the last job`() {
        let jobs = (1...8).map { claimedJob(Int64($0)) }
        var settings = WorkerSettings(name: "w")
        settings.slots = 8
        var state = WorkerState(settings: settings)
        state.registered(sent: .zero, as: WorkerID())
        _ = state.nextClaim(now: .zero)
        finishClaim(&state, jobs, at: .zero)
        let wakes = jobs.map { end(&state, $0, at: .zero).claimLoop }
        #expect(wakes == [true, true, false, false, false, false, false, true])
    }
}
