import ArgumentParser
import JobQueue
import LeaseholdCore

/// One job by its id, or all that a filter lets through: what `jobs retry`, `cancel` and `discard` are told.
struct ManyJobsOptions: ParsableArguments {
    @Argument(help: "Id of the job; without one the filter says which.") var job: Int64?
    @Option(help: "All jobs of this tenant.") var tenant: String?
    @Option(help: "All jobs of this queue.") var queue: String?
    @Option(help: "All jobs of this kind.") var kind: String?
    @Option(
        help: "All jobs in this state; without it discarded ones are retried, and those that have not ended cancelled."
    )
    var state: String?
    @Option(help: "All jobs whose last error has this label: the column label of leasehold jobs show.")
    var error: String?
    @Flag(help: "All jobs, where nothing else narrows.") var all = false
    @Flag(help: "Only count what matches.") var dryRun = false

    private var filters: [String?] { [tenant, queue, kind, state, error] }

    func validate() throws {
        let isFiltered = all || filters.contains { $0 != nil }
        guard (job != nil) != isFiltered else {
            throw ValidationError("expected the id of a job or a filter, got \(job == nil ? "neither" : "both")")
        }
        if let state, JobState(rawValue: state) == nil {
            let known = JobState.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("expected --state to be one of \(known), got \"\(state)\"")
        }
        if dryRun, job != nil { throw ValidationError("expected --dry-run with a filter, got the id of a job") }
    }

    private var selection: JobSelection {
        get throws {
            JobSelection(
                tenant: try tenant.map { try TenantID($0) },
                queue: try queue.map { try QueueName($0) },
                kind: try kind.map { try JobKind($0) },
                state: state.flatMap(JobState.init(rawValue:)),
                errorLabel: error,
                everything: all
            )
        }
    }

    /// Does it to all that match, batch after batch, with a line of progress.
    func steer(_ verb: ManyVerb, _ queue: JobQueue, _ output: OutputOptions) async throws {
        var selection = try selection
        // What would be done is counted among what it would be done to.
        if dryRun, verb == .retry, selection.state == nil { selection.state = .discarded }
        var progress = ProgressLine(isSilent: output.json)
        let batch = try await queue.steerAll(dryRun ? .count : verb, selection) { so in
            progress.show("\(so.looked) jobs looked at, \(so.matched) match, \(so.done) done")
        }
        progress.clear()
        output.say(
            dryRun
                ? "\(batch.matched) jobs match"
                : "\(verb.past) \(batch.done) of \(batch.matched) jobs that match"
                    + (batch.refused > 0 ? ", left \(batch.refused) as they were" : ""),
            [
                "verb": verb.rawValue, "dry run": String(dryRun), "matched": String(batch.matched),
                "done": String(batch.done), "refused": String(batch.refused),
            ]
        )
    }
}

extension ManyVerb {
    fileprivate var past: String {
        switch self {
        case .retry: "retried"
        case .cancel: "cancelled"
        case .discard: "discarded"
        case .count: "counted"
        }
    }
}
