import Foundation
import JobQueue
import LeaseholdCore
import Logging
import Pitchly
import PitchlySync
import Postgres
import SQLFiles
import ServiceLifecycle
import TokenVault
import UnixSignals
import WorkerRuntime

extension Composition {
    /// Runs a worker process until a signal: SIGTERM or SIGINT drains it, a second one hands its jobs
    /// back at once.
    ///
    /// - Parameter name: shown beside the worker in tables and logs.
    func runWorker(name: String) async throws {
        let roles = Set(settings.list("worker.roles"))
        let registry = settings.number("worker.probePort") > 0 ? Metering.start() : nil
        // Apart from the handlers' connections: a handler that takes the last one must not keep a
        // heartbeat or a settle from being written.
        let queuePool = makePool(size: 4)
        // An exchange holds its connection over the POST, so each gets one that handlers need not miss.
        let exchanges = roles.contains("refresh") ? settings.number("worker.exchanges") : 0
        let pool = makePool(size: settings.number("databasePoolSize") + exchanges)
        try await SchemaMigrator(pool: pool, logger: logger).check()
        try await withTransport { transport in
            let vault = try await makeVault(
                pool: pool,
                transport: transport,
                mayExchange: roles.contains("refresh")
            )
            try await vault.prepare()
            var services: [any Service] = [pool, queuePool]
            if let registry, let probes = probes(pool: pool, vault: vault, registry: registry) {
                services.append(probes)
            }
            if roles.contains("refresh") {
                services.append(RefreshService(vault: vault, listens: !isBehindPooler, logger: logger))
            }
            if roles.contains("jobs") {
                let worker = try makeWorker(
                    name: name,
                    queuePool: queuePool,
                    pool: pool,
                    vault: vault,
                    transport: transport
                )
                services += [SecondSignal(for: worker), worker]
            }
            try await run(services)
            await vault.shutDown()
        }
    }

    /// In the order of dependence: the last one is shut down first.
    func run(_ services: [any Service]) async throws {
        var configuration = ServiceGroupConfiguration(
            services: services.map { service in
                .init(service: service, successTerminationBehavior: .gracefullyShutdownGroup)
            },
            logger: logger
        )
        configuration.gracefulShutdownSignals = [.sigterm, .sigint]
        try await ServiceGroup(configuration: configuration).run()
    }

    private func makeWorker(
        name: String,
        queuePool: PostgresPool,
        pool: PostgresPool,
        vault: TokenVault,
        transport: PitchlyTransport
    ) throws -> Worker {
        let queue = JobQueue(pool: queuePool, logger: logger)
        let sync = try makeSyncJobs(pool: pool, vault: vault, transport: transport)
        return try Worker(
            queue: queue,
            registry: try Self.registry(sync),
            settings: workerSettings(name: name),
            notifications: isBehindPooler ? nil : queuePool,
            maintenance: maintenance(queue, sync),
            logger: logger
        )
    }

    private func workerSettings(name: String) -> WorkerSettings {
        var worker = WorkerSettings(name: name)
        worker.queues = settings.list("worker.queues").compactMap(QueueName.init(rawValue:))
        worker.slots = settings.number("worker.concurrency")
        worker.heartbeatInterval = .seconds(settings.number("worker.heartbeatSeconds"))
        worker.lapse = worker.heartbeatInterval * 6
        worker.stopMargin = worker.heartbeatInterval * 2
        worker.rescueInterval = worker.lapse / 2
        worker.drainTime = .seconds(settings.number("worker.drainSeconds"))
        return worker
    }

    /// The kinds that this program knows. A team's own kinds come with the library `Leasehold`.
    private static func registry(_ sync: SyncJobs) throws -> JobRegistry {
        var registry = JobRegistry()
        try registry.register(SyncJobs.syncKind) { context in
            try await sync.sync(SyncContext(context))
        }
        try registry.register(SyncJobs.syncTableKind, options: JobKindOptions(timeout: .seconds(6 * 3600))) { context in
            try await sync.syncTable(SyncContext(context))
        }
        try registry.register(SyncJobs.pushKind, options: JobKindOptions(timeout: .seconds(6 * 3600))) { context in
            try await sync.push(SyncContext(context))
        }
        return registry
    }

    private func maintenance(_ queue: JobQueue, _ sync: SyncJobs) -> [MaintenanceTask] {
        [
            MaintenanceTask("prune", every: .seconds(600)) { try await queue.prune() },
            MaintenanceTask("prune_mirrors", every: .seconds(600)) { try await sync.prune() },
            MaintenanceTask("prune_pushes", every: .seconds(600)) { try await sync.prunePushes() },
            MaintenanceTask("mirror_views", every: .seconds(60)) { try await sync.retryViews() },
            MaintenanceTask("reconcile", every: .seconds(60)) { try await queue.reconcile() },
        ]
    }

    func makeSyncJobs(pool: PostgresPool, vault: TokenVault, transport: PitchlyTransport) throws -> SyncJobs {
        SyncJobs(pool: pool, api: try makePitchlyAPI(transport: transport)) { tenant in
            VaultTokens(vault: vault, tenant: tenant)
        }
    }
}

extension SyncContext {
    /// The runtime's context as the sync jobs see it: they know no runtime.
    fileprivate init(_ context: JobContext) {
        self.init(
            tenant: context.job.tenant,
            job: context.job.id,
            run: context.job.run,
            args: context.job.args,
            logger: context.logger,
            saveProgress: { try await context.saveProgress(json: $0) }
        )
    }
}
