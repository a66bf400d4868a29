package import JobQueue
package import LeaseholdCore

/// What happens in a worker that somebody may want to know: each case is one log event, and tests
/// wait for them; ``WorkerMetrics`` counts them.
package enum WorkerEvent: Sendable {
    /// The database knows the worker; it may claim. Also after each lapse.
    case registered(WorkerID)
    case registrationFailed(any Error, failures: Int, retryIn: Duration)
    case heartbeatWritten
    case heartbeatFailed(any Error, failures: Int, retryIn: Duration)
    /// No heartbeat reached the database for too long, or it has given the worker up. The jobs were
    /// cancelled.
    case lapsed(jobs: Int)

    /// `running` with these.
    case claimed([ClaimedJob], running: Int, seconds: Double)
    case claimFailed(any Error, failures: Int, retryIn: Duration)
    /// Found nothing and waits to be woken.
    case asleep
    case woken
    /// Notifications arrive from now on.
    case listening
    case listeningFailed(any Error)
    /// The database counted these as this worker's, which never heard of them: the answer to their
    /// claim was lost. They were handed back.
    case strayHandedBack(jobs: Int)
    case reconcileFailed(any Error)
    /// A life that lapsed counts for nothing any more: its last run has ended, and what the database
    /// still counted as its was handed back.
    case formerLifeEnded(WorkerID)

    case jobStarted(ClaimedJob)
    case jobStopped(ClaimedJob, StopReason)
    case jobEnded(ClaimedJob, Verdict, seconds: Double)
    case kindUnknown(ClaimedJob)
    /// Told to stop ten seconds ago and still running. It keeps its slot.
    case handlerIgnoresStop(ClaimedJob)
    /// A defect of this program: a job's run ended without an outcome.
    case leaseDropped(ClaimedJob)

    /// Written; `unwritten` others still wait or are on their way.
    case settled([WrittenOutcome], unwritten: Int, seconds: Double)
    case settleFailed(any Error, jobs: Int, failures: Int, retryIn: Duration)
    /// The database will not take this outcome, alone and more than once. It takes a plainer one or
    /// the job runs again after the worker's end.
    case settleRefused(ClaimedJob, any Error)
    /// The outcome came too late: the run was taken away or settled by somebody else.
    case leaseLost(ClaimedJob, outcome: String)
    /// As `leaseLost`, but an earlier try got no answer, so it may well have been written by that.
    case settleUnconfirmed(ClaimedJob, outcome: String)
    case settlesAbandoned(jobs: Int)

    case rescued(jobs: Int)
    /// `turns` were due; those beyond the jobs were missed, overlapped, or rest now.
    case schedulesFired(jobs: Int, turns: Int)
    case maintained(task: String, seconds: Double)
    case maintenanceFailed(task: String, any Error)

    case draining(jobs: Int, seconds: Double)
    case cancelling(jobs: Int)
    case farewellFailed(any Error)
    case stopped
}

/// A job about which the database now holds what its handler said.
package struct WrittenOutcome: Sendable {
    package let job: ClaimedJob
    /// A ``Verdict/label``.
    package let outcome: String
    /// What became of the job; a retry after the last attempt, for example, is `discarded`.
    package let fate: JobFate
}
