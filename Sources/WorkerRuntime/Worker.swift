package import JobQueue
package import LeaseholdCore
package import Logging
package import Metrics
package import Postgres
import ServiceLifecycle
import Synchronization

/// Claims jobs, runs their handlers and settles what they say, until it is stopped.
///
/// - `Worker+claim`: claims and starts jobs; the round trip that settles and claims.
/// - `Worker+reconcile`: hands back what the database counts as ours and nobody here heard of.
/// - `Worker+run`: one job from its lease to its verdict.
/// - `Worker+settle`: writes verdicts in batches until they are written.
/// - `Worker+heartbeat`: registers, beats, hears of cancel requests.
/// - `Worker+watch`: timeouts, the lapse and the end of the drain.
/// - `Worker+listen`: wake-ups and cancel requests. `Worker+maintain`: rescue, schedules and other
///   periodic work.
///
/// What to do is decided by ``WorkerState``; here it is done. The database may be away at the start
/// or at any time: everything is tried again until it is back, and nothing that ran is lost.
package final class Worker: Service {
    let queue: JobQueue
    let registry: JobRegistry
    let settings: WorkerSettings
    let maintenance: [MaintenanceTask]
    let notifications: PostgresPool?
    let timeline: Timeline
    let random: RandomSource
    private let metrics: WorkerMetrics
    let limits: [JobKind: KindLimit]
    let state: Mutex<WorkerState>
    let scheduleLooks = Mutex(ScheduleLooks())

    let claimWake = WakeSignal()
    let settleWake = WakeSignal()
    let heartWake = WakeSignal()
    let watchWake = WakeSignal()
    let writtenWake = WakeSignal()

    private let logger: Logger
    private let events: TestSignal<WorkerEvent>?

    /// - Parameters:
    ///   - queue: on a pool that handlers do not use, of three connections or more: a handler that
    ///     takes the last connection must not keep a heartbeat from being written.
    ///   - notifications: a pool with a direct connection to the server, for wake-ups within a
    ///     millisecond; nil polls, which is all that works behind PgBouncer in transaction mode.
    ///   - maintenance: run beside the jobs, each at its interval.
    ///   - events: where a test waits for what happens inside.
    /// - Throws: ``WorkerSettingsError``
    package init(
        queue: JobQueue,
        registry: JobRegistry,
        settings: WorkerSettings,
        notifications: PostgresPool? = nil,
        maintenance: [MaintenanceTask] = [],
        logger: Logger,
        clock: any Clock<Duration> = ContinuousClock(),
        random: RandomSource = RandomSource(),
        metrics: any MetricsFactory = MetricsSystem.factory,
        events: TestSignal<WorkerEvent>? = nil
    ) throws(WorkerSettingsError) {
        try settings.validate()
        self.queue = queue
        self.registry = registry
        self.settings = settings
        self.notifications = notifications
        self.maintenance = maintenance
        self.timeline = Timeline(clock)
        self.random = random
        self.metrics = WorkerMetrics(kinds: registry.kinds, factory: metrics)
        self.limits = registry.entries.compactMapValues { $0.options.concurrency.map(KindLimit.init) }
        self.state = Mutex(WorkerState(settings: settings))
        var logger = logger
        logger[metadataKey: LogKey.workerName] = "\(settings.name)"
        self.logger = logger
        self.events = events
    }

    /// Runs until a graceful shutdown (drains) or its task's cancellation (cancels the jobs), and in
    /// both cases until every outcome is written or given up.
    package func run() async throws {
        // Unstructured, because cancelling this task must not cancel the worker's own work: it begins
        // the second stage of the shutdown, in which jobs are handed back by statements that a
        // cancelled task could not send.
        let work = Task { await self.work() }
        await withTaskCancellationHandler {
            await withGracefulShutdownHandler {
                await work.value
            } onGracefulShutdown: {
                self.stop()
            }
        } onCancel: {
            self.skipDrain()
        }
    }

    private func work() async {
        await withTaskGroup(of: Void.self) { background in
            background.addTask { await self.keepAlive() }
            background.addTask { await self.watch() }
            background.addTask { await self.writeSettles() }
            background.addTask { await self.listen() }
            for task in maintenance + [rescueTask, scheduleTask] {
                background.addTask { await self.maintain(task) }
            }
            await claimAndRun()
            await writeLastSettles()
            background.cancelAll()
        }
        await signOff()
        report(.stopped)
    }

    /// Counts and logs an event, and gives it to a waiting test.
    func report(_ event: WorkerEvent) {
        metrics.count(event)
        logger.log(
            level: event.level,
            event.message,
            metadata: event.metadata.merging([LogKey.event: "\(event.name)"]) { $1 }
        )
        events?.give(event)
    }

    /// What a handler logs with.
    func logger(for job: ClaimedJob) -> Logger {
        var logger = logger
        for (key, value) in job.logMetadata { logger[metadataKey: key] = value }
        return logger
    }
}
