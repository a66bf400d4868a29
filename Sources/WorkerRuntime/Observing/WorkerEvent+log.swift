internal import JobQueue
internal import LeaseholdCore
internal import Logging

extension WorkerEvent {
    /// The value of ``LogKey/event``, unique for each case.
    package var name: String {
        switch self {
        case .registered: "worker_registered"
        case .registrationFailed: "worker_registration_failed"
        case .heartbeatWritten: "heartbeat_written"
        case .heartbeatFailed: "heartbeat_failed"
        case .lapsed: "worker_lapsed"
        case .claimed: "jobs_claimed"
        case .claimFailed: "claim_failed"
        case .asleep: "worker_asleep"
        case .woken: "worker_woken"
        case .listening: "notifications_on"
        case .listeningFailed: "notifications_failed"
        case .strayHandedBack: "stray_jobs_handed_back"
        case .reconcileFailed: "reconcile_failed"
        case .formerLifeEnded: "former_life_ended"
        case .jobStarted: "job_started"
        case .jobStopped: "job_stopped"
        case .jobEnded: "job_ended"
        case .kindUnknown: "job_kind_unknown"
        case .handlerIgnoresStop: "handler_ignores_stop"
        case .leaseDropped: "lease_dropped"
        case .settled: "jobs_settled"
        case .settleFailed: "settle_failed"
        case .settleRefused: "settle_refused"
        case .leaseLost: "lease_lost"
        case .settleUnconfirmed: "settle_unconfirmed"
        case .settlesAbandoned: "settles_abandoned"
        case .rescued: "jobs_rescued"
        case .schedulesFired: "schedules_fired"
        case .maintained: "maintenance_done"
        case .maintenanceFailed: "maintenance_failed"
        case .draining: "worker_draining"
        case .cancelling: "worker_cancelling"
        case .farewellFailed: "worker_farewell_failed"
        case .stopped: "worker_stopped"
        }
    }

    /// Errors are for what a person should look at, warnings for what heals by itself but says that
    /// something is wrong; what happens for every job is debug, for every round trip trace.
    var level: Logger.Level {
        switch self {
        case .heartbeatWritten, .claimed, .asleep, .woken, .settled:
            .trace
        case .jobStarted, .maintained, .schedulesFired:
            .debug
        case .jobEnded(_, let verdict, _):
            verdict.errorLabel == nil ? .debug : .info
        case .registered, .formerLifeEnded, .listening, .jobStopped, .draining, .stopped:
            .info
        case .cancelling:
            .notice
        case .registrationFailed, .heartbeatFailed, .claimFailed, .strayHandedBack, .reconcileFailed, .kindUnknown,
            .settleFailed, .leaseLost, .settleUnconfirmed, .rescued, .maintenanceFailed, .farewellFailed,
            .listeningFailed:
            .warning
        case .lapsed, .handlerIgnoresStop, .leaseDropped, .settleRefused, .settlesAbandoned:
            .error
        }
    }

    /// For people; says what the program does about it.
    var message: Logger.Message {
        switch self {
        case .registered: "registered, claiming jobs"
        case .registrationFailed: "the database does not answer; no jobs are claimed until it does"
        case .heartbeatWritten: "heartbeat written"
        case .heartbeatFailed: "a heartbeat could not be written; jobs go on until the lapse is near"
        case .lapsed: "no heartbeat for too long: running jobs were cancelled before others may take them"
        case .claimed: "claimed jobs"
        case .claimFailed: "claiming failed; trying again"
        case .asleep: "nothing to do, sleeping until notified"
        case .woken: "woken by a notification"
        case .listening: "listening for notifications"
        case .listeningFailed: "cannot listen for notifications; polling instead"
        case .strayHandedBack: "handed back jobs whose claim was committed but never answered"
        case .reconcileFailed: "could not compare the jobs held with the database's list; trying again"
        case .formerLifeEnded: "signed off a life that had lapsed; nothing waits for its rescue"
        case .jobStarted: "job started"
        case .jobStopped: "job told to stop"
        case .jobEnded: "job ended"
        case .kindUnknown: "no handler for this kind here; snoozed, its attempt is not counted"
        case .handlerIgnoresStop: "a handler goes on though it was told to stop; it keeps its slot"
        case .leaseDropped: "a run ended without an outcome, a defect of this program; handed back"
        case .settled: "outcomes written"
        case .settleFailed: "outcomes could not be written; they are kept and written later"
        case .settleRefused: "the database refuses this job's outcome"
        case .leaseLost: "the outcome came too late and was not written: the lease was lost"
        case .settleUnconfirmed: "an outcome was probably written by a try whose answer was lost"
        case .settlesAbandoned: "stopping with unwritten outcomes; those jobs run again after the lapse"
        case .schedulesFired: "enqueued the jobs of schedules"
        case .rescued: "took back the jobs of dead workers"
        case .maintained: "maintenance done"
        case .maintenanceFailed: "maintenance failed; tried again at its next turn"
        case .draining: "stopping: no more claims, running jobs may end"
        case .cancelling: "stopping: running jobs are cancelled and handed back"
        case .farewellFailed: "could not sign off; the lapse will tell the others"
        case .stopped: "stopped"
        }
    }

    var metadata: Logger.Metadata {
        switch self {
        case .heartbeatWritten, .asleep, .woken, .listening, .stopped:
            [:]
        case .registered(let worker), .formerLifeEnded(let worker):
            [LogKey.worker: "\(worker)"]
        case .registrationFailed(let error, let failures, let retryIn),
            .heartbeatFailed(let error, let failures, let retryIn),
            .claimFailed(let error, let failures, let retryIn):
            Self.failure(error, failures: failures, retryIn: retryIn)
        case .settleFailed(let error, let jobs, let failures, let retryIn):
            Self.failure(error, failures: failures, retryIn: retryIn).merging([LogKey.count: "\(jobs)"]) { $1 }
        case .claimed(let jobs, _, let seconds):
            [LogKey.count: "\(jobs.count)", LogKey.seconds: "\(seconds)"]
        case .settled(let outcomes, _, let seconds):
            [LogKey.count: "\(outcomes.count)", LogKey.seconds: "\(seconds)"]
        case .lapsed(let jobs), .strayHandedBack(let jobs), .settlesAbandoned(let jobs), .rescued(let jobs),
            .cancelling(let jobs):
            [LogKey.count: "\(jobs)"]
        case .schedulesFired(let jobs, let turns):
            [LogKey.count: "\(jobs)", LogKey.turns: "\(turns)"]
        case .reconcileFailed(let error), .listeningFailed(let error), .farewellFailed(let error):
            Self.failure(error)
        case .maintenanceFailed(let task, let error):
            Self.failure(error).merging([LogKey.task: "\(task)"]) { $1 }
        case .maintained(let task, let seconds):
            [LogKey.task: "\(task)", LogKey.seconds: "\(seconds)"]
        case .draining(let jobs, let seconds):
            [LogKey.count: "\(jobs)", LogKey.seconds: "\(seconds)"]
        default:
            jobMetadata
        }
    }

    private var jobMetadata: Logger.Metadata {
        switch self {
        case .jobStarted(let job), .kindUnknown(let job), .handlerIgnoresStop(let job), .leaseDropped(let job):
            job.logMetadata
        case .jobStopped(let job, let reason):
            job.logMetadata.merging([LogKey.reason: "\(reason.label)"]) { $1 }
        case .jobEnded(let job, let verdict, let seconds):
            job.logMetadata.merging(verdict.logMetadata(seconds: seconds)) { $1 }
        case .settleRefused(let job, let error):
            job.logMetadata.merging(Self.failure(error)) { $1 }
        case .leaseLost(let job, let outcome), .settleUnconfirmed(let job, let outcome):
            job.logMetadata.merging([LogKey.outcome: "\(outcome)"]) { $1 }
        default:
            [:]
        }
    }

    private static func failure(
        _ error: any Error,
        failures: Int? = nil,
        retryIn: Duration? = nil
    ) -> Logger.Metadata {
        var metadata: Logger.Metadata = [
            LogKey.error: "\(errorText(error))", LogKey.errorLabel: "\(errorLabel(error))",
        ]
        if let failures { metadata[LogKey.failures] = "\(failures)" }
        if let retryIn { metadata[LogKey.retryIn] = "\(retryIn.seconds)" }
        return metadata
    }
}

extension ClaimedJob {
    var logMetadata: Logger.Metadata {
        [
            LogKey.tenant: "\(tenant)", LogKey.job: "\(id)", LogKey.run: "\(run)", LogKey.kind: "\(kind)",
            LogKey.attempt: "\(attempt)",
        ]
    }
}

extension Verdict {
    fileprivate func logMetadata(seconds: Double) -> Logger.Metadata {
        var metadata: Logger.Metadata = [LogKey.outcome: "\(label)", LogKey.seconds: "\(seconds)"]
        if let errorLabel { metadata[LogKey.errorLabel] = "\(errorLabel)" }
        if let reason = outcome.reason { metadata[LogKey.reason] = "\(reason)" }
        return metadata
    }
}
