public import Foundation
public import LeaseholdCore

/// A job to enqueue; the Swift face of the parameters of `leasehold.enqueue`.
public struct JobRequest: Sendable, Equatable {
    /// What becomes of a request whose unique key a live job of the same tenant and kind has.
    ///
    /// A running job is never changed: `replace` and `reschedule` are remembered once and enqueued
    /// when its run ends.
    public enum DuplicatePolicy: String, Sendable {
        /// The job that is there stays as it is.
        case keep
        /// It gets the new arguments, priority, attempts, timeout and time.
        case replace
        /// It gets the new time.
        case reschedule
    }

    /// What becomes of a job if one of those it waits for is discarded or cancelled.
    public enum DependencyPolicy: String, Sendable {
        case cancel
        case run
    }

    public var tenant: TenantID
    public var kind: JobKind
    /// A JSON object of at most 1 MiB, as text.
    public var args: String
    public var queue: QueueName
    /// From -100, first, to 100, last, among the jobs of one tenant in one queue.
    public var priority: Int
    /// Nil is now.
    public var runAt: Date?
    public var maxAttempts: Int
    /// The longest a run may take; nil leaves it to the kind.
    public var timeout: Duration?
    /// At most one live job per tenant, kind and key.
    public var uniqueKey: String?
    public var onDuplicate: DuplicatePolicy
    /// A second request with the same key answers with the first one's job, also after it has ended.
    public var idempotencyKey: String?
    /// Jobs of one tenant with one key run one after another.
    public var sequenceKey: String?
    public var traceContext: String?
    /// Jobs that must have ended before this one starts.
    public var after: [JobID]
    public var onFailure: DependencyPolicy

    public init(
        tenant: TenantID,
        kind: JobKind,
        args: String = "{}",
        queue: QueueName = .default,
        priority: Int = 0,
        runAt: Date? = nil,
        maxAttempts: Int = 20,
        timeout: Duration? = nil,
        uniqueKey: String? = nil,
        onDuplicate: DuplicatePolicy = .keep,
        idempotencyKey: String? = nil,
        sequenceKey: String? = nil,
        traceContext: String? = nil,
        after: [JobID] = [],
        onFailure: DependencyPolicy = .cancel
    ) {
        self.tenant = tenant
        self.kind = kind
        self.args = args
        self.queue = queue
        self.priority = priority
        self.runAt = runAt
        self.maxAttempts = maxAttempts
        self.timeout = timeout
        self.uniqueKey = uniqueKey
        self.onDuplicate = onDuplicate
        self.idempotencyKey = idempotencyKey
        self.sequenceKey = sequenceKey
        self.traceContext = traceContext
        self.after = after
        self.onFailure = onFailure
    }
}

/// The answer to a ``JobRequest``.
public struct EnqueuedJob: Sendable, Equatable {
    public let id: JobID
    /// A job with the same unique or idempotency key was there already, and this is its id.
    public let wasExisting: Bool

    package init(id: JobID, wasExisting: Bool) {
        self.id = id
        self.wasExisting = wasExisting
    }
}
