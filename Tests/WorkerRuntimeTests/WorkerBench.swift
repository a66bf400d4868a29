import JobQueue
import LeaseholdCore
import Logging
import Metrics
import MetricsTestKit
import Postgres
import TestSupport

@testable import WorkerRuntime

/// A running worker on a database of its own, with one tenant, and what a test asks about it.
struct WorkerBench: Sendable {
    let database: TestDatabase
    /// Of the test; the worker has its own.
    let pool: PostgresPool
    let queue: JobQueue
    let workerPool: PostgresPool
    let worker: Worker
    let events: TestSignal<WorkerEvent>
    fileprivate let begun: TestSignal<JobID>
    let metrics: TestMetrics

    static let tenant = TenantID(rawValue: "t1")!

    func enqueue(
        _ kind: String,
        args: String = "{}",
        maxAttempts: Int = 20,
        queue name: QueueName = .default
    ) async throws -> JobID {
        try await enqueue(kind, times: 1, args: args, maxAttempts: maxAttempts, queue: name)[0]
    }

    func enqueue(
        _ kind: String,
        times: Int,
        args: String = "{}",
        maxAttempts: Int = 20,
        queue name: QueueName = .default
    ) async throws -> [JobID] {
        let request = JobRequest(
            tenant: Self.tenant,
            kind: try JobKind(kind),
            args: args,
            queue: name,
            maxAttempts: maxAttempts
        )
        return try await queue.enqueue(Array(repeating: request, count: times)).map(\.id)
    }

    /// Waits until the outcome of the job's next run is written, and returns the job after it.
    func settled(_ id: JobID) async throws -> JobRecord {
        _ = await events.first { event in
            guard case .settled(let written, _, _) = event else { return false }
            return written.contains { $0.job.id == id }
        }
        return try await queue.show(id)
    }

    /// The same for several, whose outcomes may be written together.
    func settled(_ ids: [JobID]) async throws -> [JobRecord] {
        var open = Set(ids)
        while !open.isEmpty {
            let missing = open
            let event = await events.first { event in
                guard case .settled(let written, _, _) = event else { return false }
                return written.contains { missing.contains($0.job.id) }
            }
            if case .settled(let written, _, _) = event { open.subtract(written.map(\.job.id)) }
        }
        var jobs: [JobRecord] = []
        for id in ids { jobs.append(try await queue.show(id)) }
        return jobs
    }

    /// Waits for an event by its name.
    @discardableResult
    func event(_ name: String) async -> WorkerEvent {
        await events.first { $0.name == name }
    }

    /// Waits for an event while the clock goes on, a step for each round trip to the database: for
    /// what takes several round trips with pauses between them.
    @discardableResult
    func event(_ name: String, advancing clock: TestClock) async throws -> WorkerEvent {
        let found = Locked<WorkerEvent?>(nil)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                let event = await event(name)
                found.withLock { $0 = event }
            }
            while true {
                if let event = found.value { return event }
                clock.advance(by: .milliseconds(50))
                try await pool.withConnection { _ = try await $0.query(sql: "select 1") }
            }
        }
    }

    /// Waits until a handler runs. Its job is said to have started a moment before: who moves the time or
    /// stops the worker then may come before the deadline is set, or find a job that need not begin.
    @discardableResult
    func handlerBegins() async -> JobID { await begun.first() }

    /// The id under which the worker has registered last.
    func registered() async throws -> WorkerID {
        guard case .registered(let id) = await event("worker_registered") else { throw CancellationError() }
        return id
    }

    /// Runs the worker beside `body` and ends it however that went, so that a failure does not hang.
    @discardableResult
    func running<Result>(_ body: () async throws -> Result) async throws -> Result {
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await worker.run() }
            do {
                let result = try await body()
                worker.stop()
                try await group.waitForAll()
                return result
            } catch {
                worker.skipDrain()
                throw error
            }
        }
    }

    /// Waits until `count` jobs have ended, whatever became of them.
    func ended(_ count: Int) async {
        for _ in 0..<count { await event("job_ended") }
    }
}

/// What a worker under test is made with.
struct WorkerMake {
    var registry = JobRegistry()
    fileprivate let begun = TestSignal<JobID>()
    var settings: WorkerSettings
    var clock: any Clock<Duration> = ContinuousClock()
    /// False: polls, as behind PgBouncer.
    var hearsNotifications = true
    var maintenance: [MaintenanceTask] = []
    /// How the worker connects, if not as the test does.
    var configure: @Sendable (inout PostgresConfiguration) -> Void = { _ in }

    init() {
        settings = WorkerSettings(name: "test worker")
        settings.claims.fillDelay = .zero
        settings.settles.linger = .zero
    }

    mutating func on(
        _ kind: String,
        options: JobKindOptions = JobKindOptions(),
        _ handler: @escaping JobHandler
    ) throws {
        try registry.register(try JobKind(kind), options: options) { [begun] context in
            begun.give(context.job.id)
            return try await handler(context)
        }
    }

    /// Stands still except for the test: the worker then lives by notifications alone.
    mutating func freeze() -> TestClock {
        let frozen = TestClock()
        clock = frozen
        settings.claims.quickPolls = 0
        // A leap of the clock is no silence of the database: what is on its way then may still come.
        settings.answerLimit = .seconds(86_400)
        return frozen
    }
}

/// Runs `body` beside a worker, then stops it and waits until it has ended.
func withWorker<Result>(
    _ make: WorkerMake,
    isRunning: Bool = true,
    _ body: (WorkerBench) async throws -> Result
) async throws -> Result {
    try await withDatabase { database in
        try await withWorker(make, on: database, isRunning: isRunning, body)
    }
}

func withWorker<Result>(
    _ make: WorkerMake,
    on database: TestDatabase,
    isRunning: Bool = true,
    _ body: (WorkerBench) async throws -> Result
) async throws -> Result {
    let pool = database.pool(size: 3)
    let bench = try bench(make, on: database, pool: pool)
    try await pool.withConnection { connection in
        _ = try await connection.query(
            sql: "insert into leasehold.tenant (tenant_id, name) values ($1, 'one') on conflict do nothing",
            WorkerBench.tenant.rawValue
        )
    }
    return try await isRunning ? bench.running { try await body(bench) } : body(bench)
}

private func bench(_ make: WorkerMake, on database: TestDatabase, pool: PostgresPool) throws -> WorkerBench {
    let events = TestSignal<WorkerEvent>()
    let metrics = TestMetrics()
    let logger = database.log.logger("worker")
    let workerPool = database.pool(size: 4, configure: make.configure)
    let worker = try Worker(
        queue: JobQueue(pool: workerPool, logger: logger),
        registry: make.registry,
        settings: make.settings,
        notifications: make.hearsNotifications ? workerPool : nil,
        maintenance: make.maintenance,
        logger: logger,
        clock: make.clock,
        random: RandomSource(seed: 42),
        metrics: metrics,
        events: events
    )
    return WorkerBench(
        database: database,
        pool: pool,
        queue: JobQueue(pool: pool, logger: logger),
        workerPool: workerPool,
        worker: worker,
        events: events,
        begun: make.begun,
        metrics: metrics
    )
}
