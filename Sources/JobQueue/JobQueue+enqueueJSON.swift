package import LeaseholdCore
import Postgres
import SQLFiles

extension JobQueue {
    /// Enqueues jobs that came as JSON, as they stand: args keep every digit.
    ///
    /// - Parameters:
    ///   - json: one object or an array of them, with the names of the parameters of `leasehold.enqueue`,
    ///     but `timeout_seconds` for `timeout_after`.
    ///   - count: how many they are, for the trace.
    ///   - tenant: becomes every job's tenant, whatever the text says; nil leaves it to the text.
    ///   - idempotencyKey: of the whole request; the jobs of an array get it with `/1`, `/2`, ...
    ///   - traceContext: for jobs that carry none.
    /// - Throws: ``JobQueueError``; a ``PostgresError`` of class 22 for a value that PostgreSQL cannot hold.
    package func enqueue(
        json: String,
        count: Int,
        tenant: TenantID? = nil,
        idempotencyKey: String? = nil,
        traceContext: String? = nil
    ) async throws -> [EnqueuedJob] {
        try await JobTrace.enqueue(count) { trace in
            try await explained {
                let rows = try await pool.query(
                    .jobEnqueueJSON,
                    PostgresJSON(json),
                    tenant?.rawValue,
                    idempotencyKey,
                    trace ?? traceContext
                )
                return try rows.decode((Int64, Bool).self).map { id, wasExisting in
                    EnqueuedJob(id: JobID(rawValue: id), wasExisting: wasExisting)
                }
            }
        }
    }
}
