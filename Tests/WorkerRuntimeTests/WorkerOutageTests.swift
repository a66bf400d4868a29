import JobQueue
import LeaseholdCore
import Logging
import MetricsTestKit
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

/// The database goes away: on a server of the test's own.
@Suite(.timeLimit(.minutes(4))) struct WorkerOutageTests {
    /// A worker on `server`, with the schema and one tenant, not running yet.
    private func bench(
        _ make: WorkerMake,
        on server: PrivatePostgres,
        _ body: (WorkerBench) async throws -> Void
    ) async throws {
        try await withDatabase(on: server) { database in
            try await withWorker(make, on: database, isRunning: false, body)
        }
    }

    @Test func `A worker waits for a database that is down at its start`() async throws {
        var make = WorkerMake()
        try make.on("k") { _ in .completed }
        try await withPrivatePostgres { server in
            try await bench(make, on: server) { bench in
                let id = try await bench.enqueue("k")
                try await server.stop(mode: .fast)
                try await bench.running {
                    await bench.event("worker_registration_failed")
                    try await server.start()
                    await bench.event("worker_registered")
                    #expect(try await bench.settled(id).summary.state == .completed)
                }
                let entries = bench.database.log.entries
                let line = try #require(entries.first { $0.metadata["event"] == "worker_registration_failed" })
                #expect(line.level == .warning)
                #expect(line.metadata["retry_in_seconds"] != nil)
            }
        }
    }

    @Test func `A worker that is stopped while the database is down ends all the same`() async throws {
        var make = WorkerMake()
        try make.on("k") { _ in .completed }
        try await withPrivatePostgres { server in
            try await bench(make, on: server) { bench in
                try await server.stop(mode: .fast)
                try await bench.running { await bench.event("worker_registration_failed") }
                await bench.event("worker_stopped")
                try await server.start()
            }
        }
    }

    @Test func `Outcomes of jobs that end while the database is down are written when it is back`() async throws {
        var make = WorkerMake()
        make.settings.slots = 5
        let ends = [WakeSignal(), WakeSignal(), WakeSignal()]
        try make.on("k") { context in
            await ends[try context.args(as: Number.self).number].wait()
            return .completed
        }
        try await withPrivatePostgres { server in
            try await bench(make, on: server) { bench in
                var ids: [JobID] = []
                for number in 0..<3 { ids.append(try await bench.enqueue("k", args: #"{"number": \#(number)}"#)) }
                try await bench.running {
                    for _ in ids { await bench.handlerBegins() }
                    try await server.stop(mode: .immediate)
                    for signal in ends { signal.give() }
                    await bench.ended(3)
                    _ = await bench.events.first { ["settle_failed", "claim_failed"].contains($0.name) }
                    try await server.start()
                    let states = try await bench.settled(ids).map(\.summary.state)
                    #expect(states == [.completed, .completed, .completed])
                }
                #expect(bench.metrics.counterTotal(label: "job_claimed") == 3, "none ran twice")
            }
        }
    }

    private struct Number: Decodable { let number: Int }

    @Test func `A server that crashes and comes back under load loses no job and settles none twice`() async throws {
        var make = WorkerMake()
        make.settings = WorkerSettings(name: "w")
        make.settings.slots = 16
        let ended = TestSignal<JobID>()
        try make.on("k") { context in
            ended.give(context.job.id)
            return .completed
        }
        try await withPrivatePostgres { server in
            try await bench(make, on: server) { bench in
                let ids = try await bench.enqueue("k", times: 1_500)
                try await bench.running {
                    for crash in 1...2 {
                        for _ in 0..<crash * 200 { _ = await ended.first() }
                        try await server.restart(mode: .immediate)
                    }
                    try await untilNothingIsLeft(bench)
                }
                let history = try await bench.pool.withConnection { connection in
                    try await connection.query(
                        sql: """
                            select count(*) as rows, count(distinct job_id) as jobs,
                                count(*) filter (where outcome = 'completed') as completed
                            from leasehold.job_history
                            """
                    )
                }.only.decode((Int64, Int64, Int64).self)
                #expect(history == (Int64(ids.count), Int64(ids.count), Int64(ids.count)))
            }
        }
    }

    /// Each settled batch is a reason to look again; no time is asserted.
    private func untilNothingIsLeft(_ bench: WorkerBench) async throws {
        while true {
            let left = try? await bench.pool.withConnection { connection in
                try await connection.query(sql: "select count(*) from leasehold.job").only.decode(0, as: Int64.self)
            }
            if left == 0 { return }
            await bench.event("jobs_claimed")
        }
    }
}
