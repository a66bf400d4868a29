public import LeaseholdCore

/// The database no longer counts this run of the job as the one that may write about it.
public struct LeaseLost: ExplainedError, Equatable {
    public let job: JobID
    public let run: RunID

    public var label: String { "lease_lost" }
    public var message: String {
        "expected to hold the lease of job \(job) with run \(run), but it was given to another worker or ended"
    }
    public var hint: String? { nil }
}
