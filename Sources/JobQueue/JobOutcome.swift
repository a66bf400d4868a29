/// How a run of a job ended, as its handler says.
///
/// The names of the cases are those of the SQL function `leasehold.job_settle`, and what each does
/// to the job is drawn in `sql/README.md`.
public enum JobOutcome: Sendable, Equatable {
    /// The work is done.
    case completed
    /// The work failed and is worth another try: the attempt counts, and the last one discards the
    /// job. Without `after`, the back-off of the job's kind (full jitter) decides when.
    case retry(reason: String, after: Duration? = nil)
    /// Not now: the job comes again after the duration, and the attempt does not count.
    case snooze(Duration, reason: String)
    /// Not before the tenant is unparked, for example because a person has to authorize again; the
    /// attempt does not count.
    case park(reason: String)
    /// The work failed for good.
    case discard(reason: String)
    /// The work is not wanted any more.
    case cancelled(reason: String)
}
