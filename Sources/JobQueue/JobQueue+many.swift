package import LeaseholdCore
import Postgres
import SQLFiles

/// Which jobs many are; nil matches all, and at least one must narrow unless ``everything`` says so.
package struct JobSelection: Sendable, Equatable {
    package var tenant: TenantID?
    package var queue: QueueName?
    package var kind: JobKind?
    /// Nil means discarded jobs to a retry, and every job that waits or runs to the others.
    package var state: JobState?
    package var errorLabel: String?
    package var everything = false

    package init(
        tenant: TenantID? = nil,
        queue: QueueName? = nil,
        kind: JobKind? = nil,
        state: JobState? = nil,
        errorLabel: String? = nil,
        everything: Bool = false
    ) {
        self.tenant = tenant
        self.queue = queue
        self.kind = kind
        self.state = state
        self.errorLabel = errorLabel
        self.everything = everything
    }
}

/// What is done to many jobs.
package enum ManyVerb: String, Sendable, CaseIterable {
    case retry
    case cancel
    case discard
    /// Changes nothing.
    case count
}

/// What became of one batch of many jobs, or of several together.
package struct JobBatch: Sendable, Equatable {
    package var looked = 0
    package var matched = 0
    package var done = 0
    /// Left as they were: one that runs is not discarded, a unique key may be taken meanwhile.
    package var refused = 0
    /// Where the next batch goes on; nil after the last one.
    package var goesOn: JobID?

    package init() {}

    mutating func add(_ next: JobBatch) {
        looked += next.looked
        matched += next.matched
        done += next.done
        refused += next.refused
        goesOn = next.goesOn
    }
}

extension JobQueue {
    /// One batch, newest first. Costs a look at 5000 jobs at most, and what each of the `limit` jobs costs
    /// by itself, in one transaction.
    ///
    /// - Parameters:
    ///   - before: ``JobBatch/goesOn`` of the batch before.
    ///   - limit: 1 to 1000; nil is 30 of a retry, else 500.
    /// - Throws: ``JobQueueError`` with code `invalidRequest`.
    package func steer(
        _ verb: ManyVerb,
        _ selection: JobSelection,
        before: JobID? = nil,
        limit: Int? = nil
    ) async throws -> JobBatch {
        try await explained {
            let row = try await pool.query(
                as: source,
                .jobsSteer,
                verb.rawValue,
                selection.tenant?.rawValue,
                selection.queue?.rawValue,
                selection.kind?.rawValue,
                selection.state?.rawValue,
                selection.errorLabel,
                selection.everything,
                before?.rawValue,
                limit.map { Int32(clamping: $0) }
            ).only
            var batch = JobBatch()
            batch.looked = Int(try row.decode("looked", as: Int64.self))
            batch.matched = Int(try row.decode("matched", as: Int64.self))
            batch.done = Int(try row.decode("done", as: Int64.self))
            batch.refused = Int(try row.decode("refused", as: Int64.self))
            batch.goesOn = try row.decode("goes_on", as: Int64?.self).map { JobID(rawValue: $0) }
            return batch
        }
    }

    /// The last one may be smaller.
    private static func batch(_ verb: ManyVerb, _ left: Int) -> Int? {
        left >= 500 || verb == .retry && left >= 30 ? nil : left
    }

    /// Batch after batch, until there is none or enough is done. Jobs that come meanwhile are left alone.
    ///
    /// - Parameters:
    ///   - most: jobs that match, after which it stops between two batches.
    ///   - note: told of all batches so far.
    package func steerAll(
        _ verb: ManyVerb,
        _ selection: JobSelection,
        before: JobID? = nil,
        most: Int = .max,
        note: (JobBatch) -> Void = { _ in }
    ) async throws -> JobBatch {
        var all = JobBatch()
        all.goesOn = before
        repeat {
            all.add(try await steer(verb, selection, before: all.goesOn, limit: Self.batch(verb, most - all.matched)))
            note(all)
        } while all.goesOn != nil && all.matched < most
        return all
    }
}
