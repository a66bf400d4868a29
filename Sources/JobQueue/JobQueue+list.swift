package import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

/// Which jobs to list; nil matches all.
package struct JobFilter: Sendable {
    package var tenant: TenantID?
    package var queue: QueueName?
    package var kind: JobKind?
    package var state: JobState?
    /// Only jobs with a lower id: the last one of the page before.
    package var before: JobID?

    package init(
        tenant: TenantID? = nil,
        queue: QueueName? = nil,
        kind: JobKind? = nil,
        state: JobState? = nil,
        before: JobID? = nil
    ) {
        self.tenant = tenant
        self.queue = queue
        self.kind = kind
        self.state = state
        self.before = before
    }
}

extension JobQueue {
    /// One page of jobs, newest first, live and ended.
    package func list(_ filter: JobFilter = JobFilter(), limit: Int = 50) async throws -> [JobSummary] {
        let rows = try await pool.query(
            .jobList,
            filter.tenant?.rawValue,
            filter.queue?.rawValue,
            filter.kind?.rawValue,
            filter.state?.rawValue,
            filter.before?.rawValue,
            Int32(clamping: limit)
        )
        return try rows.map(Self.summary)
    }

    /// - Throws: ``JobQueueError`` with code `unknownJob`.
    package func show(_ job: JobID) async throws -> JobRecord {
        guard let row = try await pool.query(.jobShow, job.rawValue).first else {
            throw JobQueueError(
                code: .unknownJob,
                message: "expected the id of a job, got \(job)",
                hint: "leasehold jobs list"
            )
        }
        let attempts = try await pool.query(.jobAttempts, job.rawValue).map(Self.attempt)
        return try Self.record(row, attempts: attempts)
    }

    /// What goes wrong most, since a time.
    package func errors(since: Date, limit: Int = 50) async throws -> [ErrorGroup] {
        try await pool.query(.jobErrors, since, Int32(clamping: limit)).map { row in
            ErrorGroup(
                fingerprint: try row.decode("fingerprint"),
                kind: try JobKind(try row.decode("kind", as: String.self)),
                errorLabel: try row.decode("error_label"),
                attempts: Int(try row.decode("attempts", as: Int64.self)),
                jobs: Int(try row.decode("jobs", as: Int64.self)),
                tenants: Int(try row.decode("tenants", as: Int64.self)),
                firstAt: try row.decode("first_at"),
                lastAt: try row.decode("last_at"),
                example: try row.decode("example"),
                exampleJob: JobID(rawValue: try row.decode("example_job_id"))
            )
        }
    }

    /// Live workers and those that lapsed in the last day.
    package func workers() async throws -> [WorkerRecord] {
        try await pool.query(.workerList).map { row in
            WorkerRecord(
                id: WorkerID(rawValue: try row.decode("worker_id")),
                name: try row.decode("name"),
                host: try row.decode("host"),
                processID: try row.decode("process_id"),
                version: try row.decode("version"),
                queues: try row.decode("queues"),
                kinds: try row.decode("kinds"),
                concurrency: Int(try row.decode("concurrency", as: Int32.self)),
                startedAt: try row.decode("started_at"),
                heartbeatAge: .seconds(try row.decode("heartbeat_age", as: Double.self)),
                isSleeping: try row.decode("sleeping", as: Bool?.self) ?? false,
                isStopping: try row.decode("stopping_at", as: Date?.self) != nil,
                hasLapsed: try row.decode("lapsed_at", as: Date?.self) != nil,
                running: Int(try row.decode("running", as: Int32.self))
            )
        }
    }

    private static func summary(_ row: PostgresRow) throws -> JobSummary {
        let word = try row.decode("state", as: String.self)
        return JobSummary(
            id: JobID(rawValue: try row.decode("job_id")),
            tenant: try TenantID(try row.decode("tenant_id", as: String.self)),
            queue: try QueueName(try row.decode("queue", as: String.self)),
            kind: try JobKind(try row.decode("kind", as: String.self)),
            state: JobState(rawValue: word) ?? .ready,
            attempt: Int(try row.decode("attempt", as: Int16.self)),
            maxAttempts: Int(try row.decode("max_attempts", as: Int16.self)),
            enqueuedAt: try row.decode("created_at"),
            runAt: try row.decode("run_at"),
            claimedAt: try row.decode("claimed_at"),
            endedAt: try row.decode("ended_at"),
            errorLabel: try row.decode("last_error_label")
        )
    }

    private static func record(_ row: PostgresRow, attempts: [FailedAttempt]) throws -> JobRecord {
        func waited(_ column: String) throws -> Duration { .seconds(Double(try row.decode(column, as: Float.self))) }
        func seconds(_ column: String) throws -> Duration? {
            try row.decode(column, as: Float?.self).map { .seconds(Double($0)) }
        }
        return JobRecord(
            summary: try summary(row),
            priority: Int(try row.decode("priority", as: Int16.self)),
            args: try row.decode("args", as: PostgresJSON.self).text,
            kills: Int(try row.decode("kills", as: Int16.self)),
            firstClaimedAt: try row.decode("first_claimed_at"),
            worker: try row.decode("worker_id", as: UUID?.self).map { WorkerID(rawValue: $0) },
            run: RunID(rawValue: try row.decode("run")),
            ranFor: try seconds("run_seconds"),
            waits: JobRecord.Waits(
                turn: try waited("waited_turn"),
                limit: try waited("waited_limit"),
                worker: try waited("waited_worker"),
                parked: try waited("waited_parked")
            ),
            timeout: try seconds("timeout_seconds"),
            uniqueKey: try row.decode("unique_key"),
            sequenceKey: try row.decode("sequence_key"),
            parkReason: try row.decode("park_reason"),
            lastError: try row.decode("last_error"),
            progress: try row.decode("progress", as: PostgresJSON?.self)?.text,
            traceContext: try row.decode("trace_context"),
            attempts: attempts
        )
    }

    private static func attempt(_ row: PostgresRow) throws -> FailedAttempt {
        FailedAttempt(
            attempt: Int(try row.decode("attempt", as: Int16.self)),
            run: RunID(rawValue: try row.decode("run")),
            startedAt: try row.decode("started_at"),
            endedAt: try row.decode("ended_at"),
            worker: try row.decode("worker_id", as: UUID?.self).map { WorkerID(rawValue: $0) },
            outcome: try row.decode("outcome"),
            errorLabel: try row.decode("error_label"),
            error: try row.decode("error"),
            fingerprint: try row.decode("fingerprint")
        )
    }
}
