internal import Foundation
internal import JobQueue
public import LeaseholdCore
public import Logging
internal import Postgres
public import ServiceLifecycle
public import WorkerRuntime

/// Runs the jobs of the kinds in a registry, until its service group shuts down.
///
/// At the first signal it claims no more and lets running jobs end for the drain time; then, or when
/// its task is cancelled, it cancels them and hands them back, their attempt not counted.
///
/// Any number of workers may run in any number of processes. The schema must be there
/// (`leasehold migrate`).
public final class LeaseholdWorker: Service {
    private let pool: PostgresPool
    private let listeningPool: PostgresPool?
    private let worker: Worker
    private let logger: Logger

    /// - Throws: an ``ExplainedError`` naming the option that is out of range.
    public init(
        database: LeaseholdDatabase,
        registry: JobRegistry,
        options: LeaseholdWorkerOptions = LeaseholdWorkerOptions(),
        logger: Logger = Logger(label: "leasehold")
    ) throws {
        self.logger = logger
        // Of its own: a handler that holds every connection must not keep a heartbeat from being sent.
        pool = database.pool(size: 4, logger: logger)
        listeningPool = database.listeningPool(besides: pool, logger: logger)
        let queue = JobQueue(pool: pool, logger: logger)
        worker = try Worker(
            queue: queue,
            registry: registry,
            settings: options.settings,
            notifications: listeningPool,
            maintenance: [.prune(queue), .reconcile(queue)],
            logger: logger
        )
    }

    /// - Throws: an ``ExplainedError`` at once if the schema is missing, or older or newer than this
    ///   program; a database that is away is waited for.
    public func run() async throws {
        do {
            try await checkSchema()
            try await worker.run()
        } catch {
            await close()
            throw error
        }
        await close()
    }

    private func checkSchema() async throws {
        do {
            try await SchemaMigrator(pool: pool, logger: logger).check()
        } catch let error as PostgresError where error.isConnectionLost || error.code == .cannotConnect {
            // The worker waits for the database, and says so.
        }
    }

    /// After the worker, which needs them to hand back its jobs.
    private func close() async {
        await pool.close()
        if let listeningPool, listeningPool !== pool { await listeningPool.close() }
    }
}

/// What a worker may be told; every other setting is a default that rarely needs a change.
public struct LeaseholdWorkerOptions: Sendable {
    /// Shown in lists of workers and in logs. Default: the host's name.
    public var name: String
    /// Default: `default` alone.
    public var queues: [QueueName]
    /// Jobs at once, 1 to 10 000. Default 10.
    public var slots: Int
    /// How long running jobs may go on after the worker was asked to stop. Default 20 s.
    public var drainTime: Duration
    /// How long after a worker's last sign of life others take over its jobs, 1 s to 1 h. A worker that
    /// cannot reach the database cancels its jobs a quarter of it earlier. Default 30 s.
    public var lapse: Duration

    public init(
        name: String? = nil,
        queues: [QueueName] = [.default],
        slots: Int = 10,
        drainTime: Duration = .seconds(20),
        lapse: Duration = .seconds(30)
    ) {
        self.name = name ?? ProcessInfo.processInfo.hostName
        self.queues = queues
        self.slots = slots
        self.drainTime = drainTime
        self.lapse = lapse
    }

    var settings: WorkerSettings {
        var settings = WorkerSettings(name: name)
        settings.queues = queues
        settings.slots = slots
        settings.drainTime = drainTime
        settings.lapse = lapse
        settings.heartbeatInterval = lapse / 6
        settings.stopMargin = lapse * 4 / 15
        settings.rescueInterval = lapse / 2
        return settings
    }
}
