import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import Synchronization
import TestSupport
import Testing

/// Random work over several connections, with workers that die, sessions that are killed and
/// transactions that roll back. Afterwards nothing is lost, nothing was settled twice, no limit was
/// broken, and lanes agree with jobs.
@Suite(.serialized) struct RandomRunTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func nothingIsLostAndNothingIsSettledTwice(seed: UInt64) async throws {
        try await withWorld { world in
            let run = try await RandomRun(world, seed: seed)
            try await run.everythingAtOnce()
            try await run.drain()
            try await run.check()
        }
    }
}

/// What is true whatever happens: filled in by the actors as they get answers.
private struct Model: Sendable {
    var enqueued: Set<JobID> = []
    /// Every run that a claim handed out.
    var runs: Set<String> = []
    var handedOutTwice: [String] = []
    /// How often a settle said that it ended the job.
    var ends: [JobID: Int] = [:]
    var surprises: [String] = []
}

private final class RandomRun: Sendable {
    let world: QueueWorld
    /// Sessions of this pool are killed at random.
    let shaky: JobQueue
    let random: RandomSource
    let tenants: [TenantID]
    let model = Mutex(Model())
    let queues: [QueueName]

    init(_ world: QueueWorld, seed: UInt64) async throws {
        self.world = world
        random = RandomSource(seed: seed)
        queues = [.default, QueueName(rawValue: "second")!]
        let pool = world.database.pool(size: 6) { $0.applicationName = "shaky" }
        shaky = JobQueue(pool: pool, logger: world.database.log.logger("shaky"))
        tenants = try await world.addTenants((1...7).map { "t\($0)" })
        try await world.sql("update leasehold.tenant set max_running = 4 where tenant_id = 't1'")
    }

    func everythingAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...2 { group.addTask { try await self.repeatedly(60) { try await self.enqueueSome() } } }
            for _ in 1...4 { group.addTask { try await self.work(rounds: 70) } }
            group.addTask { try await self.repeatedly(40) { try await self.meddle() } }
            group.addTask { try await self.repeatedly(25) { try await self.killASession() } }
            try await group.waitForAll()
        }
    }

    private func repeatedly(_ times: Int, _ body: () async throws -> Void) async throws {
        for _ in 1...times { try await body() }
    }

    private func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    private func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    private func enqueueSome() async throws {
        struct RolledBack: Error {}
        let requests = (0..<pick([1, 1, 1, 2, 30])).map { _ in
            JobRequest(
                tenant: pick(tenants),
                kind: .noop,
                queue: pick(queues),
                priority: pick([0, 0, 0, -3, 5]),
                runAt: chance(10) ? Date().addingTimeInterval(0.05) : nil,
                maxAttempts: 1000,
                sequenceKey: chance(20) ? pick(["x", "y"]) : nil
            )
        }
        do {
            let answers = try await world.pool.withTransaction { connection in
                let answers = try await world.queue.enqueue(requests, on: connection)
                if chance(20) { throw RolledBack() }
                return answers
            }
            model.withLock { $0.enqueued.formUnion(answers.map(\.id)) }
        } catch is RolledBack {
            return
        }
    }

    /// One worker after another: each claims and settles until it dies or is found dead.
    private func work(rounds: Int) async throws {
        var worker = try await world.addWorker(queues)
        var held: [ClaimedJob] = []
        for _ in 1...rounds {
            do {
                held += try await step(worker, &held)
                if chance(4) { throw Died() }
            } catch is Died {
                held = []
                try await world.lapse(worker)
                worker = try await world.addWorker(queues)
            }
        }
        try await world.lapse(worker)
    }

    private struct Died: Error {}

    private func step(_ worker: WorkerID, _ held: inout [ClaimedJob]) async throws -> [ClaimedJob] {
        let batch = held.filter { _ in chance(60) }
        held.removeAll { job in batch.contains { $0.id == job.id && $0.run == job.run } }
        let settlements = batch.map { job in
            chance(10)
                ? Settlement.handBack(job: job.id, run: job.run)
                : Settlement(job: job.id, run: job.run, outcome: outcome(), ran: .milliseconds(pick([1, 5, 80])))
        }
        let request = ClaimRequest(
            worker: worker,
            queues: queues,
            limit: pick([1, 3, 10, 40]),
            woken: chance(30)
        )
        do {
            let (results, jobs) = try await shaky.settleAndClaim(settlements, request)
            note(settlements, results)
            note(jobs)
            return jobs
        } catch let error as JobQueueError where error.code == .workerLapsed {
            throw Died()
        } catch let error as PostgresError where error.isConnectionLost {
            // Neither the settles nor the claim are known to have happened: like a crash.
            throw Died()
        }
    }

    private func outcome() -> JobOutcome {
        pick([
            .completed, .completed, .completed, .retry(reason: "again", after: .zero),
            .retry(reason: "later", after: .milliseconds(20)), .snooze(.milliseconds(10), reason: "busy"),
            .park(reason: "no token"), .discard(reason: "no"), .cancelled(reason: "not wanted"),
        ])
    }

    private func note(_ jobs: [ClaimedJob]) {
        model.withLock { model in
            for job in jobs where !model.runs.insert("\(job.id)/\(job.run)").inserted {
                model.handedOutTwice.append("\(job.id)/\(job.run)")
            }
        }
    }

    private func note(_ settlements: [Settlement], _ results: [SettleResult]) {
        model.withLock { model in
            for (settlement, result) in zip(settlements, results) {
                guard case .settled(let fate) = result else { continue }
                if [.completed, .discarded, .cancelled].contains(fate) { model.ends[settlement.job, default: 0] += 1 }
            }
        }
    }

    /// Rescue, pause, park, cancel, retry, house-keeping, and claims that roll back.
    private func meddle() async throws {
        struct RolledBack: Error {}
        let tenant = pick(tenants)
        switch random.next() % 11 {
        case 0, 1: _ = try await world.queue.rescue()
        case 2:
            try await world.sql("update leasehold.tenant set state = 'paused' where tenant_id = $1", tenant.rawValue)
        case 3: try await world.sql("update leasehold.tenant set state = 'active'")
        case 4: try await world.queue.park(tenant, reason: "test")
        case 5: try await world.queue.unpark(tenant)
        case 6:
            let ids = model.withLock { Array($0.enqueued) }
            if !ids.isEmpty { _ = try await world.queue.cancel(pick(ids)) }
        case 7: try await world.queue.pause(queues[1])
        case 8, 9: try await world.queue.resume(queues[1])
        default:
            let worker = try await world.addWorker(queues)
            await #expect(throws: RolledBack.self) {
                try await world.pool.withTransaction { connection in
                    try await connection.query(
                        sql: "select leasehold.job_claim($1, '{default,second}', 20)",
                        worker.rawValue
                    )
                    throw RolledBack()
                }
            }
        }
        let broken = try await world.number(
            "select count(*) from leasehold.job where state = 'running' and tenant_id = 't1'"
        )
        if broken > 4 { model.withLock { $0.surprises.append("\(broken) jobs of t1 ran at once") } }
    }

    private func killASession() async throws {
        try await world.sql(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'shaky' order by random() limit 1
            """
        )
    }

    /// Everybody who is left is rescued, everything that waits is let go, and all is worked off.
    func drain() async throws {
        try await world.sql("update leasehold.tenant set state = 'active'")
        try await world.queue.resume(queues[1])
        try await world.sql("update leasehold.worker set heartbeat_at = heartbeat_at - interval '2 hours'")
        _ = try await world.queue.rescue()
        let worker = try await world.addWorker(queues)
        var idle = 0
        while idle < 3 {
            for tenant in tenants { try await world.queue.unpark(tenant) }
            try await world.makeDue()
            let jobs = try await world.claim(worker, 100, queues: queues)
            note(jobs)
            let settlements = jobs.map { Settlement(job: $0.id, run: $0.run, outcome: .completed) }
            note(settlements, try await world.queue.settle(settlements))
            idle = jobs.isEmpty ? idle + 1 : 0
        }
    }

    func check() async throws {
        let found = model.withLock { $0 }
        #expect(found.surprises == [])
        #expect(found.handedOutTwice == [])
        #expect(found.ends.filter { $0.value > 1 } == [:])
        #expect(!found.enqueued.isEmpty)
        let left = try await world.sql("select job_id, state, tenant_id, park_reason from leasehold.job")
        let texts = try left.decode((Int64, String, String, String?).self).map { "\($0)" }
        #expect(texts == [])
        let ended = try await world.sql("select job_id from leasehold.job_history").map {
            JobID(rawValue: try $0.decode(0))
        }
        #expect(ended.count == found.enqueued.count, "each job ended once")
        #expect(Set(ended) == found.enqueued)
        #expect(try await world.number("select count(*) from leasehold.wake") == 0)
        #expect(try await world.number("select count(*) from leasehold.lane where state <> 'idle'") == 0)
        #expect(try await world.number("select sum(found_count)::bigint from leasehold.reconcile('0')") == 0)
    }
}
