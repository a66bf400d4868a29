import Foundation
import LeaseholdCore
package import Postgres
import SQLFiles

extension JobQueue {
    /// Enqueues jobs in one statement and one transaction.
    ///
    /// - Returns: one answer a request, in order.
    /// - Throws: ``JobQueueError`` naming what is wrong with a request; then none is enqueued.
    package func enqueue(_ requests: [JobRequest]) async throws -> [EnqueuedJob] {
        guard !requests.isEmpty else { return [] }
        return try await pool.withConnection { try await enqueue(requests, on: $0) }
    }

    /// Enqueues jobs in the transaction that is open on `connection`, if one is: the jobs are there
    /// if and only if it commits.
    package func enqueue(_ requests: [JobRequest], on connection: PostgresConnection) async throws -> [EnqueuedJob] {
        guard !requests.isEmpty else { return [] }
        try Self.checkArgs(of: requests)
        return try await JobTrace.enqueue(requests.count) { trace in
            try await explained {
                let rows = try await connection.query(Self.call(requests, trace: trace))
                return try rows.decode((Int64, Bool).self).map { id, wasExisting in
                    EnqueuedJob(id: JobID(rawValue: id), wasExisting: wasExisting)
                }
            }
        }
    }

    /// Enqueues one job.
    package func enqueue(_ request: JobRequest) async throws -> EnqueuedJob {
        let answers = try await enqueue([request])
        return answers[0]
    }

    private static func call(_ requests: [JobRequest], trace: String?) -> PostgresCall {
        PostgresCall(
            .jobEnqueue,
            requests.map(\.tenant.rawValue),
            requests.map(\.kind.rawValue),
            requests.map(\.args),
            requests.map(\.queue.rawValue),
            requests.map { Int16(clamping: $0.priority) },
            requests.map(\.runAt),
            requests.map { Int16(clamping: $0.maxAttempts) },
            requests.map { $0.timeout?.seconds },
            requests.map(\.uniqueKey),
            requests.map { $0.uniqueKey == nil ? nil : $0.onDuplicate.rawValue },
            requests.map(\.idempotencyKey),
            requests.map(\.sequenceKey),
            requests.map { $0.traceContext ?? trace },
            requests.map { request in
                request.after.isEmpty ? nil : "[\(request.after.map(\.description).joined(separator: ","))]"
            },
            requests.map { $0.after.isEmpty ? nil : $0.onFailure.rawValue }
        )
    }

    private static func checkArgs(of requests: [JobRequest]) throws(JobQueueError) {
        for (index, request) in requests.enumerated() {
            try checkArgs(request.args, of: "request \(index + 1) (\(request.kind))")
        }
    }

    /// The server would say only that some value is not JSON, and must not say which.
    static func checkArgs(_ args: String, of what: String) throws(JobQueueError) {
        let bytes = Data(args.utf8)
        if (try? JSONSerialization.jsonObject(with: bytes)) is [String: Any] { return }
        throw JobQueueError(
            code: .invalidRequest,
            message: "expected the args of \(what) to be a JSON object, got \(bytes.count) bytes that are not",
            hint: "encode a struct or dictionary, not a bare value"
        )
    }

    /// Enqueues any number of jobs by COPY, in one transaction and with bounded memory: the fastest
    /// way in.
    ///
    /// Unique keys, idempotency keys and `after` need a look at other jobs, which COPY cannot take.
    /// - Returns: how many were enqueued.
    /// - Throws: ``JobQueueError`` for a request that uses one of these.
    package func enqueueBulk<Requests: AsyncSequence>(
        _ requests: Requests
    ) async throws -> Int where Requests.Element == JobRequest {
        try await pool.withConnection { try await enqueueBulk(requests, on: $0) }
    }

    package func enqueueBulk<Requests: AsyncSequence>(
        _ requests: Requests,
        on connection: PostgresConnection
    ) async throws -> Int where Requests.Element == JobRequest {
        try await explained {
            try await connection.copyIn(
                """
                copy leasehold.job (tenant_id, queue, kind, args, priority, run_at, ready_at, max_attempts, \
                timeout_seconds, sequence_key, trace_context) from stdin (format binary)
                """
            ) { writer in
                for try await request in requests {
                    try Self.checkBulk(request)
                    let due = request.runAt ?? Date()
                    try await writer.write(
                        row: request.tenant.rawValue,
                        request.queue.rawValue,
                        request.kind.rawValue,
                        PostgresJSON(request.args),
                        Int16(clamping: request.priority),
                        due,
                        due,
                        Int16(clamping: request.maxAttempts),
                        request.timeout.map { Float($0.seconds) },
                        request.sequenceKey,
                        request.traceContext
                    )
                }
            }
        }
    }

    private static func checkBulk(_ request: JobRequest) throws(JobQueueError) {
        let name: String
        if request.uniqueKey != nil {
            name = "uniqueKey"
        } else if request.idempotencyKey != nil {
            name = "idempotencyKey"
        } else if !request.after.isEmpty {
            name = "after"
        } else {
            return
        }
        throw JobQueueError(
            code: .invalidRequest,
            message: "expected a bulk request without \(name), got one of kind \(request.kind) with it",
            hint: "enqueue it with enqueue(_:)"
        )
    }
}
