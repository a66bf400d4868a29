import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

/// The worker behind a real PgBouncer in transaction mode: no notifications, nothing prepared, every
/// statement maybe in another session.
@Suite(.enabled(if: PgBouncer.isInstalled, "pgbouncer is not installed"), .timeLimit(.minutes(4)))
struct WorkerPoolerTests {
    private static let untilCancelled: JobHandler = { _ in
        await WakeSignal().wait()
        throw CancellationError()
    }

    private func behindPooler(
        _ make: WorkerMake,
        _ body: (WorkerBench, _ url: String) async throws -> Void
    ) async throws {
        try await withDatabase { database in
            let (folder, port) = try await database.socket()
            try await withPgBouncer(socketFolder: folder, port: port, serverConnections: 3) { bouncer in
                var make = make
                let url = bouncer.url(database: database.name)
                make.hearsNotifications = false
                make.configure = { configuration in
                    configuration = PostgresConfiguration(url: url)
                    configuration.preparesStatements = false
                }
                try await withWorker(make, on: database) { try await body($0, url) }
            }
        }
    }

    @Test func `Jobs that psql enqueues through the pooler are claimed, run and settled`() async throws {
        var make = WorkerMake()
        make.settings.slots = 8
        let outcomes: [(kind: String, outcome: JobOutcome, state: JobState)] = [
            ("k.completed", .completed, .completed), ("k.retry", .retry(reason: "r", after: .seconds(600)), .scheduled),
            ("k.park", .park(reason: "p"), .parked), ("k.discard", .discard(reason: "d"), .discarded),
        ]
        for (kind, outcome, _) in outcomes { try make.on(kind) { _ in outcome } }
        try await behindPooler(make) { bench, url in
            for (kind, _, state) in outcomes {
                try await psql(
                    url,
                    "select leasehold.enqueue('t1', '\(kind)', jsonb_build_object('n', n)) from generate_series(1, 10) as n"
                )
                let ids = try await bench.queue.list(JobFilter(kind: try JobKind(kind))).map(\.id)
                #expect(ids.count == 10)
                for job in try await bench.settled(ids) { #expect(job.summary.state == state, "\(kind)") }
            }
        }
    }

    @Test func `A cancel request reaches the handler by polling`() async throws {
        var make = WorkerMake()
        try make.on("k", Self.untilCancelled)
        try await behindPooler(make) { bench, url in
            let id = try await bench.enqueue("k")
            await bench.handlerBegins()
            try await psql(url, "select leasehold.job_cancel(\(id))")
            #expect(try await bench.settled(id).summary.state == .cancelled)
        }
    }

    @Test func `Schedules are fired through the pooler`() async throws {
        var make = WorkerMake()
        try make.on("k") { _ in .completed }
        make.settings.scheduleInterval = .milliseconds(200)
        try await behindPooler(make) { bench, url in
            try await psql(url, "select leasehold.schedule_add('s', 'k', every => '1 second', tenant => 't1')")
            await bench.event("schedules_fired")
            await bench.event("job_ended")
        }
    }
}
