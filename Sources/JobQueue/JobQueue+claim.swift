import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

extension JobQueue {
    /// Claims jobs, fairly over tenants: none may mean that none is ready, or that the tenants with
    /// work are at their limits.
    ///
    /// - Throws: ``JobQueueError`` with code `workerLapsed` if the worker is not registered or was
    ///   given up; what it claimed before may run elsewhere.
    package func claim(_ request: ClaimRequest) async throws -> [ClaimedJob] {
        try await claiming(request) {
            try Self.jobs(in: try await pool.query(Self.call(request)))
        }
    }

    /// Settles and claims in one round trip.
    ///
    /// Both are one transaction. If the claim is refused, the settles are written alone before the
    /// error is thrown.
    package func settleAndClaim(
        _ settlements: [Settlement],
        _ request: ClaimRequest
    ) async throws -> (results: [SettleResult], jobs: [ClaimedJob]) {
        guard !settlements.isEmpty else { return ([], try await claim(request)) }
        do {
            return try await claiming(request) {
                let answers = try await pool.pipeline([Self.call(settlements), Self.call(request)])
                return (
                    results: try finish(settlements, answer: answers[0]),
                    jobs: try Self.jobs(in: answers[1])
                )
            } jobs: {
                $0.jobs
            }
        } catch let error as JobQueueError {
            _ = try await settle(settlements)
            throw error
        }
    }

    private func claiming(_ request: ClaimRequest, _ body: () async throws -> [ClaimedJob]) async throws -> [ClaimedJob]
    {
        try await claiming(request, body, jobs: { $0 })
    }

    /// Keeps the book of leases round a claim.
    private func claiming<R>(
        _ request: ClaimRequest,
        _ body: () async throws -> R,
        jobs: (R) -> [ClaimedJob]
    ) async throws -> R {
        let claim = leases.beginClaim(by: request.worker)
        do {
            let result = try await explained(body)
            leases.endClaim(claim, jobs: jobs(result))
            return result
        } catch let error as JobQueueError {
            leases.endClaim(claim, jobs: [])
            throw error
        } catch {
            leases.loseClaim(claim)
            throw error
        }
    }

    static func call(_ request: ClaimRequest) -> PostgresCall {
        PostgresCall(
            .jobClaim,
            request.worker.rawValue,
            // In one order, so that every claim of this worker finds what the session remembers.
            request.queues.map(\.rawValue).sorted(),
            Int32(clamping: request.limit),
            request.woken
        )
    }

    static func jobs(in rows: PostgresRows) throws -> [ClaimedJob] {
        try rows.map { row in
            let (id, run, tenant, queue, kind, args, attempt, maxAttempts) = try row.decode(
                (Int64, Int64, String, String, String, PostgresJSON, Int16, Int16).self
            )
            return ClaimedJob(
                id: JobID(rawValue: id),
                run: RunID(rawValue: run),
                tenant: try TenantID(tenant),
                kind: try JobKind(kind),
                queue: try QueueName(queue),
                args: args.text,
                attempt: Int(attempt),
                maxAttempts: Int(maxAttempts),
                priority: Int(try row.decode(8, as: Int16.self)),
                enqueuedAt: try row.decode(9),
                claimedAt: try row.decode(10),
                waited: .seconds(try row.decode(11, as: Double.self)),
                timeout: try row.decode(12, as: Float?.self).map { .seconds(Double($0)) },
                progress: try row.decode(13, as: PostgresJSON?.self)?.text,
                traceContext: try row.decode(14)
            )
        }
    }
}
