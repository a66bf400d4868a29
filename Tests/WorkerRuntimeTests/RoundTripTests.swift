import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

/// How often a worker asks the database, counted by the server.
@Suite(.timeLimit(.minutes(4))) struct RoundTripTests {
    /// A worker on a pool of its own, which ends with it so that the server's count is whole.
    private struct Counted {
        let database: TestDatabase
        let pool: PostgresPool
        let queue: JobQueue
        let worker: Worker
        let events: TestSignal<WorkerEvent>

        init(
            _ database: TestDatabase,
            slots: Int = 10,
            hearsNotifications: Bool = true,
            clock: any Clock<Duration>,
            handler: @escaping JobHandler = { _ in .completed }
        ) throws {
            self.database = database
            pool = PostgresPool(configuration: database.configuration, size: 4, logger: database.log.logger("pool"))
            queue = JobQueue(pool: pool, logger: database.log.logger("worker"))
            events = TestSignal()
            var registry = JobRegistry()
            try registry.register(try JobKind("k"), handler: handler)
            var settings = WorkerSettings(name: "counted")
            settings.slots = slots
            worker = try Worker(
                queue: queue,
                registry: registry,
                settings: settings,
                notifications: hearsNotifications ? pool : nil,
                maintenance: [.prune(queue), .reconcile(queue)],
                logger: database.log.logger("worker"),
                clock: clock,
                random: RandomSource(seed: 7),
                events: events
            )
        }

        /// Runs the worker beside `body`.
        ///
        /// - Returns: how many transactions its database has had meanwhile.
        func transactions(_ body: () async throws -> Void) async throws -> Int {
            let before = try await count()
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await worker.run() }
                try await body()
                worker.stop()
                try await group.waitForAll()
            }
            // The sessions' own counts reach the server's when they end.
            await pool.close()
            while try await elsewhere("select count(*) from pg_stat_activity where datname = $1") > 0 {}
            return try await count() - before
        }

        private func count() async throws -> Int {
            try await elsewhere("select xact_commit + xact_rollback from pg_stat_database where datname = $1")
        }

        /// Asked from another database, so that the question does not count.
        private func elsewhere(_ sql: String) async throws -> Int {
            let server = ProcessInfo.processInfo.environment["LEASEHOLD_TEST_DATABASE_URL"]
            let other = PostgresPool(
                configuration: PostgresConfiguration(url: server),
                size: 1,
                logger: database.log.logger("count")
            )
            do {
                let rows = try await other.withConnection { try await $0.query(sql: sql, database.name) }
                await other.close()
                return try rows.only.decode(0, as: Int.self)
            } catch {
                await other.close()
                throw error
            }
        }
    }

    @Test(arguments: [true, false])
    func `A worker without work sends at most one statement a second`(hearsNotifications: Bool) async throws {
        try await withDatabase { database in
            let clock = TestClock()
            let counted = try Counted(database, hearsNotifications: hearsNotifications, clock: clock)
            let sent = try await counted.transactions {
                if hearsNotifications { _ = await counted.events.first { $0.name == "worker_asleep" } }
                while clock.now.offset < .seconds(600) {
                    clock.advanceToNextDeadline()
                    await quiet(clock, counted.pool, listeners: hearsNotifications ? 1 : 0)
                }
            }
            #expect(sent <= 600, "\(sent) in 600 s")
            #expect(sent > 200, "the worker looked for work")
        }
    }

    /// Waits until nothing is asked of the database and every loop of the worker sleeps: heartbeat, watch,
    /// claims and four maintenance tasks.
    private func quiet(_ clock: TestClock, _ pool: PostgresPool, listeners: Int) async {
        repeat {
            await clock.sleepers(7)
            await Task.yield()
        } while pool.leasedCount > listeners
    }

    @Test func `A worker with much work claims and settles several jobs in a round trip`() async throws {
        let jobs = 1000
        try await withDatabase { database in
            let done = TestSignal<Int>()
            let runs = Locked(0)
            let counted = try Counted(database, slots: 50, clock: ContinuousClock()) { _ in
                let run = runs.withLock { runs in
                    runs += 1
                    return runs
                }
                if run == jobs { done.give(run) }
                return .completed
            }
            let setUp = database.pool(size: 1)
            try await setUp.withConnection { connection in
                _ = try await connection.query(sql: "insert into leasehold.tenant (tenant_id) values ('t1')")
                _ = try await connection.query(sql: "select leasehold.enqueue('t1', 'k') from generate_series(1, 1000)")
            }
            await setUp.close()
            let sent = try await counted.transactions { _ = await done.first() }
            let settled = counted.events.all.reduce(0) { total, event in
                if case .settled(let written, _, _) = event { total + written.count } else { total }
            }
            #expect(settled == jobs)
            // One by one it would be two for each job; how many go together depends on the machine.
            #expect(sent < jobs, "\(sent) transactions for \(jobs) jobs")
        }
    }
}
