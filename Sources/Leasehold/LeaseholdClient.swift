internal import Foundation
public import JobQueue
public import LeaseholdCore
public import Logging
internal import Postgres
public import ServiceLifecycle

/// Enqueues jobs and steers them.
///
/// A service that must enqueue in its own transaction, so that the job is there if and only if its
/// data is, calls the SQL function on its own connection instead:
///
/// ```sql
/// select leasehold.enqueue('acme', 'mail.send', '{"to": "ada@example.com"}');
/// ```
///
/// As a service, it closes its connections at the end of the group; without running it, call
/// ``close()``.
public final class LeaseholdClient: Service {
    private let pool: PostgresPool
    private let queue: JobQueue

    /// Connects on demand, with at most `connections` at once.
    public init(
        database: LeaseholdDatabase,
        connections: Int = 4,
        logger: Logger = Logger(label: "leasehold")
    ) {
        pool = database.pool(size: connections, logger: logger)
        queue = JobQueue(pool: pool, logger: logger)
    }

    /// - Throws: an ``ExplainedError`` that says what is wrong with the request, for example an
    ///   unknown tenant; or what is wrong with the database.
    @discardableResult
    public func enqueue(_ request: JobRequest) async throws -> EnqueuedJob {
        try await queue.enqueue(request)
    }

    /// Enqueues all or none, in one round trip.
    @discardableResult
    public func enqueue(_ requests: [JobRequest]) async throws -> [EnqueuedJob] {
        try await queue.enqueue(requests)
    }

    /// Ends a waiting job, or asks a running one to stop: its handler's task is cancelled at once if its
    /// worker hears notifications, else within a second.
    public func cancel(_ job: JobID, reason: String = "cancelled by request") async throws {
        _ = try await queue.cancel(job, reason: reason)
    }

    /// Adds a schedule, fired by any worker; the same request again changes nothing, so a program may
    /// declare its schedules at every start, with ``ScheduleRequest/replaces``.
    ///
    /// - Throws: an ``ExplainedError`` that says what was expected, for example in a cron expression.
    public func schedule(_ request: ScheduleRequest) async throws {
        try await queue.addSchedule(request)
    }

    /// Jobs that were enqueued stay.
    ///
    /// - Throws: an ``ExplainedError`` if there is no schedule of that name.
    public func removeSchedule(_ name: String) async throws {
        try await queue.removeSchedule(name)
    }

    public func run() async throws { try await pool.run() }

    public func close() async { await pool.close() }
}

extension JobRequest {
    /// A request with args encoded as JSON: they must encode as an object. What else there is to say
    /// about a job (priority, time, unique key) is set on the request.
    ///
    /// - Throws: what the args' own `encode(to:)` throws.
    public init(tenant: TenantID, kind: JobKind, encoding args: some Encodable) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        self.init(tenant: tenant, kind: kind, args: String(decoding: try encoder.encode(args), as: UTF8.self))
    }
}
