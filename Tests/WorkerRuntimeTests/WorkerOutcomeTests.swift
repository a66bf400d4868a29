import JobQueue
import LeaseholdCore
import Logging
import Metrics
import MetricsTestKit
import TestSupport
import Testing

@testable import WorkerRuntime

@Suite(.timeLimit(.minutes(4))) struct WorkerOutcomeTests {
    private struct Broken: ExplainedError {
        var label: String { "broken" }
        var message: String { "expected a whole thing, got half" }
        var hint: String? { nil }
    }

    @Test func `Every outcome becomes what it says in the database`() async throws {
        var make = WorkerMake()
        let outcomes: [(kind: String, outcome: JobOutcome, state: JobState, attempt: Int)] = [
            ("k.completed", .completed, .completed, 1),
            ("k.retry", .retry(reason: "half", after: .seconds(600)), .scheduled, 1),
            ("k.snooze", .snooze(.seconds(600), reason: "not yet"), .scheduled, 0),
            ("k.park", .park(reason: "needs authorization"), .parked, 0),
            ("k.discard", .discard(reason: "never"), .discarded, 1),
            ("k.cancelled", .cancelled(reason: "moot"), .cancelled, 1),
        ]
        for (kind, outcome, _, _) in outcomes { try make.on(kind) { _ in outcome } }
        try await withWorker(make) { bench in
            for (kind, outcome, state, attempt) in outcomes {
                let job = try await bench.settled(try await bench.enqueue(kind))
                #expect(job.summary.state == state, "\(kind)")
                #expect(job.lastError == outcome.reason, "\(kind)")
                if !state.hasEnded { #expect(job.summary.attempt == attempt, "\(kind)") }
            }
        }
    }

    @Test func `A handler that throws is tried again with its label and text, the last time discarded`() async throws {
        var make = WorkerMake()
        let options = JobKindOptions(
            retry: RetryPolicy(shortest: .zero, base: .milliseconds(1), longest: .milliseconds(1))
        )
        try make.on("k", options: options) { _ in throw Broken() }
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k", maxAttempts: 2)
            _ = try await bench.settled(id)
            let job = try await bench.settled(id)
            #expect(job.summary.state == .discarded)
            #expect(job.lastError == "expected a whole thing, got half")
            #expect(job.attempts.map(\.errorLabel) == ["broken", "broken"])
            #expect(job.attempts.map(\.attempt).sorted() == [1, 2])
        }
    }

    @Test func `Args that do not decode fail the attempt and the job is kept`() async throws {
        var make = WorkerMake()
        struct Mail: Decodable { let to: String }
        try make.registry.register(try JobKind("mail.send"), args: Mail.self) { _, _ in .completed }
        try await withWorker(make) { bench in
            let job = try await bench.settled(try await bench.enqueue("mail.send", args: #"{"too": "s3cret"}"#))
            #expect(job.summary.state == .scheduled)
            #expect(job.summary.attempt == 1)
            #expect(job.summary.errorLabel == "job_args_undecodable")
            #expect(job.lastError?.contains("expected the key to, which is missing") == true)
            #expect(!bench.database.log.text.contains("s3cret"))
        }
    }

    @Test func `An unknown kind is snoozed, and a worker that knows it runs the job`() async throws {
        try await withDatabase { database in
            var make = WorkerMake()
            try make.on("known.kind") { _ in .completed }
            let id = try await withWorker(make, on: database) { bench in
                let id = try await bench.enqueue("strange.kind")
                let job = try await bench.settled(id)
                #expect(job.summary.state == .scheduled)
                #expect(job.summary.attempt == 0)
                #expect(job.summary.errorLabel == "kind_unknown")
                for part in ["strange.kind", "known.kind", "deploy a worker"] {
                    #expect(job.lastError?.contains(part) == true)
                }
                return id
            }
            try make.on("strange.kind") { _ in .completed }
            try await withWorker(make, on: database) { bench in
                _ = try await bench.queue.retry(id)
                #expect(try await bench.settled(id).summary.state == .completed)
            }
        }
    }

    @Test func `Progress is kept over a retry, and the next run goes on from it`() async throws {
        var make = WorkerMake()
        struct Checkpoint: Codable, Equatable { var page: Int }
        let options = JobKindOptions(
            retry: RetryPolicy(shortest: .zero, base: .milliseconds(1), longest: .milliseconds(1))
        )
        let seen = Locked<[Int?]>([])
        try make.on("k", options: options) { context in
            let last = try context.progress(as: Checkpoint.self)
            seen.withLock { $0.append(last?.page) }
            if last != nil { return .completed }
            try await context.saveProgress(Checkpoint(page: 7))
            throw Broken()
        }
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k")
            _ = try await bench.settled(id)
            #expect(try await bench.settled(id).summary.state == .completed)
        }
        #expect(seen.value == [nil, 7])
    }

    @Test func `Jobs of a limited kind wait for each other and hold their slots meanwhile`() async throws {
        var make = WorkerMake()
        make.settings.slots = 8
        let counts = Locked((now: 0, most: 0))
        try make.on("k", options: JobKindOptions(concurrency: 2)) { _ in
            counts.withLock { counts in
                counts.now += 1
                counts.most = max(counts.most, counts.now)
            }
            await Task.yield()
            counts.withLock { $0.now -= 1 }
            return .completed
        }
        try await withWorker(make) { bench in
            _ = try await bench.enqueue("k", times: 50)
            await bench.ended(50)
        }
        #expect(counts.value.most == 2)
    }

    @Test(arguments: [true, false])
    func `Many jobs of many tenants all run once, woken or polling`(hearsNotifications: Bool) async throws {
        var make = WorkerMake()
        make.settings = WorkerSettings(name: "w")
        make.settings.slots = 32
        make.hearsNotifications = hearsNotifications
        let runs = Locked<[JobID: Int]>([:])
        try make.on("k") { context in
            runs.withLock { $0[context.job.id, default: 0] += 1 }
            return .completed
        }
        try await withWorker(make) { bench in
            let ids = try await bench.enqueue("k", times: 1_000)
            await bench.ended(1_000)
            #expect(Set(runs.value.keys) == Set(ids))
            #expect(runs.value.values.allSatisfy { $0 == 1 })
            #expect(bench.metrics.counterTotal(label: "job_claimed") == 1_000)
        }
    }

    @Test func `Metrics count claims, outcomes, run and wait by kind`() async throws {
        var make = WorkerMake()
        try make.on("k.good") { _ in .completed }
        try make.on("k.bad") { _ in .discard(reason: "no") }
        try await withWorker(make) { bench in
            _ = try await bench.settled(try await bench.enqueue("k.good"))
            _ = try await bench.settled(try await bench.enqueue("k.bad"))
            let settled = bench.metrics
            let good = try settled.expectCounter("job_settled", [("kind", "k.good"), ("outcome", "completed")])
            let bad = try settled.expectCounter("job_settled", [("kind", "k.bad"), ("outcome", "discard")])
            #expect(good.totalValue == 1)
            #expect(bad.totalValue == 1)
            for label in ["job_run_seconds", "job_wait_seconds"] {
                #expect(try settled.expectTimer(label, [("kind", "k.good")]).values.count == 1, "\(label)")
            }
        }
    }

    @Test func `Every line of a handler's log carries tenant, job, run, kind and attempt`() async throws {
        var make = WorkerMake()
        try make.on("k") { context in
            context.logger.info("hello from the handler")
            return .completed
        }
        try await withWorker(make) { bench in
            let id = try await bench.enqueue("k")
            _ = try await bench.settled(id)
            let line = try #require(bench.database.log.entries.first { $0.message == "hello from the handler" })
            #expect(line.metadata["tenant"] == "t1")
            #expect(line.metadata["job"] == "\(id)")
            #expect(line.metadata["kind"] == "k")
            #expect(line.metadata["attempt"] == "1")
            #expect(line.metadata["run"] != nil)
            #expect(bench.database.log.entries.contains { $0.metadata["event"] == "job_ended" })
        }
    }
}
