import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

/// A database with tenants, a queue on it, and what tests do with them in one line.
struct QueueWorld {
    let database: TestDatabase
    let pool: PostgresPool
    let queue: JobQueue

    init(_ database: TestDatabase, size: Int = 4) {
        self.database = database
        pool = database.pool(size: size)
        queue = JobQueue(pool: pool, logger: database.log.logger("queue"))
    }

    /// A tenant for each name.
    func addTenants(_ names: String...) async throws -> [TenantID] {
        try await addTenants(names)
    }

    func addTenants(_ names: [String]) async throws -> [TenantID] {
        try await pool.withConnection { connection in
            _ = try await connection.query(
                sql: "insert into leasehold.tenant (tenant_id) select unnest($1::text[]) on conflict do nothing",
                names
            )
        }
        return try names.map { try TenantID($0) }
    }

    /// A registered worker.
    func addWorker(_ queues: [QueueName] = [.default], lapse: Duration = .seconds(3600)) async throws -> WorkerID {
        let id = WorkerID()
        try await queue.register(
            WorkerRegistration(id: id, name: "test", queues: queues, kinds: [], host: "test", lapse: lapse)
        )
        return id
    }

    func claim(
        _ worker: WorkerID,
        _ limit: Int = 100,
        queues: [QueueName] = [.default],
        woken: Bool = false
    ) async throws -> [ClaimedJob] {
        try await queue.claim(ClaimRequest(worker: worker, queues: queues, limit: limit, woken: woken))
    }

    @discardableResult
    func settle(_ job: ClaimedJob, _ outcome: JobOutcome, label: String? = nil) async throws -> SettleResult {
        try await queue.settle([Settlement(job: job.id, run: job.run, outcome: outcome, errorLabel: label)])[0]
    }

    /// Completes the jobs; each must still be held. All of them ran equally long, so that what a tenant
    /// is charged does not depend on how busy the machine is.
    func complete(_ jobs: [ClaimedJob]) async throws {
        let results = try await queue.settle(
            jobs.map { Settlement(job: $0.id, run: $0.run, outcome: .completed, ran: .milliseconds(1)) }
        )
        #expect(results.allSatisfy { $0 == .settled(.completed) })
    }

    func state(_ job: JobID) async throws -> JobState { try await queue.show(job).summary.state }

    /// Runs one ad-hoc statement.
    @discardableResult
    func sql(_ text: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await pool.withConnection { connection in
            try await connection.query(PostgresCall(SQLFile(name: "ad_hoc", text: text), parameters: parameters))
        }
    }

    func number(_ text: String) async throws -> Int {
        let rows = try await sql(text)
        return try Int(rows.only.decode(0, as: Int64.self))
    }

    /// Returns when a statement waits for a lock that somebody holds.
    func untilOneWaits() async throws {
        let waiting = """
            select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
            """
        while try await number(waiting) == 0 {}
    }

    /// Lets the time of every waiting job come.
    func makeDue() async throws {
        try await sql(
            "update leasehold.job set run_at = clock_timestamp(), due_at = clock_timestamp() where state = 'scheduled'"
        )
    }
}

/// Runs `body` in a world of its own.
func withWorld<R>(size: Int = 4, _ body: (QueueWorld) async throws -> R) async throws -> R {
    try await withDatabase { try await body(QueueWorld($0, size: size)) }
}

extension JobKind {
    static let noop = JobKind(rawValue: "noop")!
}
