package import Foundation
package import LeaseholdCore

/// One line of a list of jobs.
package struct JobSummary: Sendable {
    package let id: JobID
    package let tenant: TenantID
    package let queue: QueueName
    package let kind: JobKind
    package let state: JobState
    package let attempt: Int
    package let maxAttempts: Int
    package let enqueuedAt: Date
    package let runAt: Date
    package let claimedAt: Date?
    package let endedAt: Date?
    package let errorLabel: String?
}

/// Everything about one job, live or ended.
package struct JobRecord: Sendable {
    package let summary: JobSummary
    package let priority: Int
    /// JSON text.
    package let args: String
    /// Workers that died while they ran it.
    package let kills: Int
    package let firstClaimedAt: Date?
    package let worker: WorkerID?
    package let run: RunID
    package let ranFor: Duration?
    package let waits: Waits
    package let timeout: Duration?
    package let uniqueKey: String?
    package let sequenceKey: String?
    /// `authorization`, `sequence` or `dependency`, while it is parked.
    package let parkReason: String?
    package let lastError: String?
    package let progress: String?
    package let traceContext: String?
    package let attempts: [FailedAttempt]

    /// How long the job waited, by cause, over all its attempts.
    package struct Waits: Sendable {
        /// Workers took other jobs.
        package let turn: Duration
        /// Its tenant was paused, or at a limit.
        package let limit: Duration
        /// No worker asked for work.
        package let worker: Duration
        /// Its tenant was not authorized, or it waited for other jobs.
        package let parked: Duration
    }
}

/// An attempt that did not complete.
package struct FailedAttempt: Sendable {
    package let attempt: Int
    package let run: RunID
    package let startedAt: Date?
    package let endedAt: Date
    package let worker: WorkerID?
    /// `retry`, `discard` or `kill` (its worker died).
    package let outcome: String
    package let errorLabel: String?
    package let error: String?
    package let fingerprint: String
}

/// Failed attempts that differ only in numbers, ids and quoted words.
package struct ErrorGroup: Sendable {
    package let fingerprint: String
    package let kind: JobKind
    package let errorLabel: String?
    package let attempts: Int
    package let jobs: Int
    package let tenants: Int
    package let firstAt: Date
    package let lastAt: Date
    package let example: String?
    package let exampleJob: JobID
}

/// A worker as the database knows it.
package struct WorkerRecord: Sendable {
    package let id: WorkerID
    package let name: String
    package let host: String
    package let processID: Int32?
    package let version: String?
    package let queues: [String]
    package let kinds: [String]
    package let concurrency: Int
    package let startedAt: Date
    package let heartbeatAge: Duration
    package let isSleeping: Bool
    package let isStopping: Bool
    package let hasLapsed: Bool
    package let running: Int
}
