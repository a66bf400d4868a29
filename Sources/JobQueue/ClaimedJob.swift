public import Foundation
public import LeaseholdCore

/// A job that a worker holds: one run of it, to be settled once.
public struct ClaimedJob: Sendable, Equatable {
    public let id: JobID
    /// Must come back with the settle; a settle with an older one changes nothing.
    public let run: RunID
    public let tenant: TenantID
    public let kind: JobKind
    public let queue: QueueName
    /// A JSON object, as text.
    public let args: String
    /// From 1; snoozed, parked and handed-back runs are not counted.
    public let attempt: Int
    public let maxAttempts: Int
    /// -100 runs first, 100 last.
    public let priority: Int
    /// By the database's clock, like all times here.
    public let enqueuedAt: Date
    public let claimedAt: Date
    /// How long the job stood ready or parked, over all its attempts.
    public let waited: Duration
    /// The longest this run may take; nil leaves it to the kind.
    public let timeout: Duration?
    /// What an earlier run saved, as JSON text.
    public let progress: String?
    /// A W3C `traceparent` of whoever enqueued the job.
    public let traceContext: String?

    package init(
        id: JobID,
        run: RunID,
        tenant: TenantID,
        kind: JobKind,
        queue: QueueName = .default,
        args: String = "{}",
        attempt: Int = 1,
        maxAttempts: Int = 20,
        priority: Int = 0,
        enqueuedAt: Date = Date(timeIntervalSince1970: 0),
        claimedAt: Date = Date(timeIntervalSince1970: 0),
        waited: Duration = .zero,
        timeout: Duration? = nil,
        progress: String? = nil,
        traceContext: String? = nil
    ) {
        self.id = id
        self.run = run
        self.tenant = tenant
        self.kind = kind
        self.queue = queue
        self.args = args
        self.attempt = attempt
        self.maxAttempts = maxAttempts
        self.priority = priority
        self.enqueuedAt = enqueuedAt
        self.claimedAt = claimedAt
        self.waited = waited
        self.timeout = timeout
        self.progress = progress
        self.traceContext = traceContext
    }
}
