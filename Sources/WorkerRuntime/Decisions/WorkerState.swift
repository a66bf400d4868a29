internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore

/// Everything a worker decides with, in one value under one lock: what it holds, whether it lives,
/// whether it ends, what it may claim and what it has to write.
struct WorkerState {
    /// Names this life; a lapsed worker registers under a new one.
    private(set) var id: WorkerID
    let slots: Int
    var heart: HeartbeatMonitor
    var claims: ClaimSchedule
    var settles: SettleBuffer<PendingSettle>
    var shutdown: ShutdownStages
    var running = RunningJobs()
    /// Claimed and not yet written about: running or waiting to be written. Each with the life that
    /// claimed it.
    private var held: [RunKey: WorkerID] = [:]
    var formerLives = FormerLives()
    private(set) var isClaiming = false
    /// Cancel requests arrive as notifications.
    var hearsCancels = false
    private var reconcileAt: Moment
    private let reconcileInterval: Duration
    private let cancelPoll: Duration

    init(settings: WorkerSettings) {
        id = WorkerID()
        slots = settings.slots
        heart = HeartbeatMonitor(
            interval: settings.heartbeatInterval,
            lapse: settings.lapse,
            stopMargin: settings.stopMargin
        )
        claims = ClaimSchedule(slots: settings.slots, pacing: settings.claims)
        settles = SettleBuffer(pacing: settings.settles)
        shutdown = ShutdownStages(drainTime: settings.drainTime)
        reconcileInterval = settings.reconcileInterval
        cancelPoll = settings.cancelPoll
        reconcileAt = settings.reconcileInterval
    }

    var free: Int { max(0, slots - running.count) }
    var mayClaim: Bool { shutdown.mayClaim && heart.isAlive && settles.isGateOpen }

    // MARK: Claiming

    struct ClaimTrip {
        let worker: WorkerID
        let limit: Int
        let flag: ClaimSchedule.Flag
        let woken: Bool
        /// Written in the same round trip.
        let settles: [SettleBuffer<PendingSettle>.Unwritten]
    }

    enum ClaimStep {
        case trip(ClaimTrip)
        case reconcile(WorkerID)
        case formerLife(FormerLives.Step)
        case wait(until: Moment?)
        /// Nothing is claimed any more and nothing runs.
        case done
    }

    mutating func nextClaim(now: Moment) -> ClaimStep {
        if !shutdown.mayClaim, running.count == 0 { return .done }
        guard mayClaim else { return .wait(until: nil) }
        if let step = formerLives.next(now: now, busy: Set(held.values)) { return .formerLife(step) }
        if now >= reconcileAt {
            reconcileAt = now + reconcileInterval
            return .reconcile(id)
        }
        switch claims.next(now: now, free: free) {
        case .claim(let limit, let flag, let woken):
            isClaiming = true
            let settles = settles.takeAlong(now: now)
            return .trip(ClaimTrip(worker: id, limit: limit, flag: flag, woken: woken, settles: settles))
        case .wait(let until):
            return .wait(until: [until, reconcileAt, formerLives.nextTry].compactMap { $0 }.min())
        }
    }

    /// Takes what a claim brought.
    ///
    /// - Returns: nil if it came too late: the worker has lapsed or is ending, and the jobs go back.
    mutating func claimed(
        _ jobs: [ClaimedJob],
        by worker: WorkerID
    ) -> [(job: ClaimedJob, control: JobControl)]? {
        isClaiming = false
        for job in jobs { held[job.key] = worker }
        guard mayClaimFor(worker) else { return nil }
        return jobs.map { job in
            let control = JobControl()
            running.add(job, control: control)
            return (job, control)
        }
    }

    /// The answer of a claim may be lost while its jobs are ours in the database: looks for such.
    mutating func claimFailed(now: Moment, retryAt: Moment) {
        isClaiming = false
        claims.failed(retryAt: retryAt)
        reconcileAt = min(reconcileAt, retryAt)
    }

    private func mayClaimFor(_ worker: WorkerID) -> Bool {
        worker == id && shutdown.mayClaim && heart.isAlive
    }

    // MARK: Settling

    enum SettleStep {
        case write([SettleBuffer<PendingSettle>.Unwritten])
        /// A claim can carry them; looks again at the moment in case it did not.
        case handOver(until: Moment)
        case wait(until: Moment?)
    }

    mutating func nextSettle(now: Moment) -> SettleStep {
        if settles.isDue(now: now), mayClaim, settles.maySettleAlong, claims.couldClaim(now: now, free: free) {
            if isClaiming, let until = settles.waitsForClaimUntil, now < until { return .wait(until: until) }
            if !isClaiming, claims.carry() { return .handOver(until: now + settles.pacing.linger * 4) }
        }
        return switch settles.next(now: now) {
        case .write(let batch): .write(batch)
        case .wait(let until): .wait(until: until)
        }
    }

    /// Which loops have something to do because a job ended.
    struct Wakes {
        let claimLoop: Bool
        let settleLoop: Bool
    }

    /// The handler ended: its slot is free, its outcome waits to be written.
    mutating func ended(_ settle: PendingSettle, now: Moment) -> Wakes {
        running.ended(settle.job.key)
        let settleLoop = settles.add(settle, now: now)
        let threshold = claims.pacing.threshold(slots: slots)
        return Wakes(claimLoop: free == 1 || free == threshold || running.count == 0, settleLoop: settleLoop)
    }

    func isHeld(_ key: RunKey) -> Bool { held[key] != nil }

    /// The claim that due outcomes waited for is back.
    func isSettleDue(now: Moment) -> Bool { settles.isDue(now: now) }

    /// An answer came for this settle, whatever it was: nothing more will be written about the run.
    mutating func answered(_ key: RunKey) { held[key] = nil }

    // MARK: Living

    /// While jobs run whose cancel requests nobody tells of, the heartbeat asks for them more often.
    var nextBeat: Moment {
        hearsCancels || running.count == 0 || !heart.isAlive
            ? heart.nextBeat : heart.beat(askingEvery: cancelPoll)
    }

    private var hasLived = false

    /// Which the database may count jobs for: the last one, lapsed or not, and those before it.
    var lives: [WorkerID] { hasLived ? [id] + formerLives.ids : [] }

    mutating func registered(sent: Moment, as worker: WorkerID) {
        if hasLived { formerLives.lapsed(id) }
        hasLived = true
        id = worker
        heart.registered(sent: sent)
        claims.restarted()
    }

    private var hasAnnouncedStop = false

    /// The worker to announce as stopping: once, as soon as it is.
    mutating func takeStopAnnouncement() -> WorkerID? {
        if hasAnnouncedStop || shutdown.mayClaim || !heart.isAlive { return nil }
        hasAnnouncedStop = true
        return id
    }

    /// When ``tick(now:)`` has something to do.
    var nextTick: Moment? {
        [running.nextMoment, heart.lapseMoment, shutdown.deadline].compactMap { $0 }.min()
    }

    private var plannedTick: Moment?

    /// Notes until when the watch will wait.
    mutating func planWatch() -> Moment? {
        plannedTick = nextTick
        return plannedTick
    }

    /// True if `moment`, when a job that begins is due, comes before the watch will look. Asked for
    /// every job, so it must not go over all that run.
    func isWatchLate(for moment: Moment?) -> Bool {
        guard let plannedTick else { return nextTick != nil }
        return moment.map { $0 < plannedTick } ?? false
    }

    /// What time alone brings about.
    struct Due {
        var isLapse = false
        var endsDrain = false
        var stops: [(entry: RunningJobs.Entry, reason: StopReason)] = []
        var stuck: [ClaimedJob] = []
    }

    mutating func tick(now: Moment) -> Due {
        var due = Due()
        due.stops = running.takeExpired(now: now).compactMap { entry in
            entry.deadline.map { (entry, .timeout($0.limit)) }
        }
        if heart.tick(now: now) == .stopJobs {
            due.isLapse = true
            due.stops += stopAll(.leaseLost, now: now)
        }
        if shutdown.tick(now: now) == .cancelJobs {
            due.endsDrain = true
            due.stops += stopAll(.shutdown, now: now)
        }
        due.stuck = running.takeStuck(now: now)
        return due
    }

    mutating func stopAll(_ reason: StopReason, now: Moment) -> [(entry: RunningJobs.Entry, reason: StopReason)] {
        running.stopping(now: now) { _ in true }.map { ($0, reason) }
    }

    /// Those that wait for others of their kind need not begin once the worker drains.
    mutating func stopWaiting(now: Moment) -> [(entry: RunningJobs.Entry, reason: StopReason)] {
        running.stopping(now: now) { !$0.hasBegun }.map { ($0, .shutdown) }
    }
}

/// A verdict on its way to the database.
struct PendingSettle: Sendable {
    let job: ClaimedJob
    let verdict: Verdict
    /// How long the handler ran.
    var ran: Duration = .zero

    var settlement: Settlement {
        if verdict.isHandBack { return .handBack(job: job.id, run: job.run) }
        return Settlement(
            job: job.id,
            run: job.run,
            outcome: verdict.outcome,
            errorLabel: verdict.errorLabel,
            ran: ran
        )
    }
}
