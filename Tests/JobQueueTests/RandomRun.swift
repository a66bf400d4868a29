import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import SQLFiles
import Synchronization
import TestSupport

/// What is true whatever happens: filled in by the actors as they get answers.
struct RandomRunModel: Sendable {
    var enqueued: Set<JobID> = []
    /// Every run that a claim handed out.
    var runs: Set<String> = []
    var handedOutTwice: [String] = []
    /// How often somebody was told that this ended the job.
    var ends: [JobID: Int] = [:]
    var surprises: [String] = []
    /// The present of the schedule.
    var moment: Date
    /// Runs of the tenant with a rate limit.
    var ratedRuns = 0
}

/// Workers, enqueuers, a schedule and people who meddle, all drawn from one seed.
final class RandomRun: Sendable {
    static let slotSeconds: TimeInterval = 60
    /// Of one tenant, one queue and one kind.
    static let limits = [4, 7, 3]
    static let burst = 12

    let world: QueueWorld
    let random: RandomSource
    let model: Mutex<RandomRunModel>
    /// When the first interval of the schedule began.
    let start: Date
    /// Sessions of this pool are killed at random.
    let shakyPool: PostgresPool
    let shaky: JobQueue
    let store: TenantStore
    let tenants: [TenantID]
    /// Has the schedule.
    let steady: TenantID
    let queues: [QueueName]
    /// The first has a limit, and with it lanes of its own, paused or not.
    let kinds: [JobKind]

    init(_ world: QueueWorld, seed: UInt64) async throws {
        self.world = world
        random = RandomSource(seed: seed)
        queues = [.default, try QueueName("second")]
        kinds = [try JobKind("limited"), try JobKind("plain"), .noop]
        start = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 - 86_400).rounded(.down))
        model = Mutex(RandomRunModel(moment: start))
        shakyPool = world.database.pool(size: 6) { $0.applicationName = "shaky" }
        shaky = JobQueue(pool: shakyPool, logger: world.database.log.logger("shaky"))
        store = TenantStore(pool: world.pool)
        tenants = try await world.addTenants((1...7).map { "t\($0)" })
        try await store.limit(tenants[0], to: QueueLimits(maxRunning: Self.limits[0]))
        try await store.limit(tenants[1], to: QueueLimits(ratePerSecond: 0.001, rateBurst: Self.burst))
        try await world.queue.limit(queues[1], to: QueueLimits(maxRunning: Self.limits[1]))
        try await world.queue.limit(kinds[0], to: QueueLimits(maxRunning: Self.limits[2]))
        steady = try await world.addTenants("steady")[0]
        try await addSchedule()
    }

    /// Of a tenant who is never paused, so that its slots are known.
    private func addSchedule() async throws {
        var request = ScheduleRequest(
            name: "tick",
            kind: try JobKind("tick"),
            rhythm: .every(.seconds(Int(Self.slotSeconds))),
            audience: .tenant(steady)
        )
        (request.startsAt, request.missed) = (start.addingTimeInterval(2 * 86_400 + Self.slotSeconds), .all(most: 1000))
        try await world.queue.addSchedule(request)
        // Into the past, so that what is fired is due at once.
        try await world.sql("update leasehold.schedule set starts_at = starts_at - interval '2 days'")
        try await world.sql(
            "update leasehold.schedule_turn set slot_at = slot_at - interval '2 days', fire_at = fire_at - interval '2 days'"
        )
    }

    func everythingAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...2 { group.addTask { for _ in 1...60 { try await self.enqueueSome() } } }
            for _ in 1...4 { group.addTask { try await self.work(rounds: 70) } }
            for _ in 1...2 { group.addTask { for _ in 1...30 { try await self.fire() } } }
            group.addTask { for _ in 1...60 { try await self.meddle() } }
            group.addTask { for _ in 1...25 { try await self.killASession() } }
            try await group.waitForAll()
        }
    }

    func pick<T>(_ values: [T]) -> T { values[Int(random.next() % UInt64(values.count))] }
    private func chance(_ percent: UInt64) -> Bool { random.next() % 100 < percent }

    struct RolledBack: Error {}

    private func enqueueSome() async throws {
        let requests = (0..<pick([1, 1, 1, 2, 30])).map { _ in
            JobRequest(
                tenant: pick(tenants),
                kind: pick(kinds),
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

    /// Fires what is due at the present, which has gone on a little, and sometimes rolls back.
    private func fire() async throws {
        let (step, rollsBack) = (TimeInterval(random.next() % 120), chance(20))
        let moment = model.withLock { model in
            model.moment += step
            return model.moment
        }
        do {
            try await shakyPool.withTransaction { connection in
                let call = SQLFile(name: "ad_hoc_fire", text: "select jobs from leasehold.schedule_fire($1, null, $2)")
                _ = try await connection.query(call, Int32(pick([1, 2, 50])), moment)
                if rollsBack { throw RolledBack() }
            }
        } catch is RolledBack {
            return
        } catch let error as PostgresError where error.isConnectionLost {
            // Whether it was committed is not known, and need not be.
        }
    }

    /// One worker after another: each claims and settles until it dies or is found dead.
    private func work(rounds: Int) async throws {
        var worker = try await world.addWorker(queues)
        var held: [ClaimedJob] = []
        for _ in 1...rounds {
            do {
                held += try await step(worker, &held)
                try await lookAtLimits()
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

    func note(_ jobs: [ClaimedJob]) {
        model.withLock { model in
            for job in jobs {
                if !model.runs.insert("\(job.id)/\(job.run)").inserted {
                    model.handedOutTwice.append("\(job.id)/\(job.run)")
                }
                if job.tenant == tenants[1] { model.ratedRuns += 1 }
            }
        }
    }

    func note(_ settlements: [Settlement], _ results: [SettleResult]) {
        model.withLock { model in
            for (settlement, result) in zip(settlements, results) {
                guard case .settled(let fate) = result else { continue }
                if [.completed, .discarded, .cancelled].contains(fate) { model.ends[settlement.job, default: 0] += 1 }
            }
        }
    }

    /// Running jobs of the limited tenant, queue and kind, at one moment of the database, which is some moment
    /// of the run.
    @discardableResult
    func lookAtLimits() async throws -> [Int] {
        let (tenant, queue, kind) = try await world.sql(
            """
            select count(*) filter (where tenant_id = $1), count(*) filter (where queue = $2),
                count(*) filter (where kind = $3)
            from leasehold.job where state = 'running'
            """,
            tenants[0].rawValue,
            queues[1].rawValue,
            kinds[0].rawValue
        ).only.decode((Int, Int, Int).self)
        let running = [tenant, queue, kind]
        model.withLock { model in
            if zip(running, Self.limits).contains(where: { $0 > $1 }) {
                model.surprises.append("tenant, queue and kind: \(running) ran at once")
            }
            // One more comes in a thousand seconds.
            if model.ratedRuns > Self.burst + 1 { model.surprises.append("\(model.ratedRuns) at a low rate") }
        }
        return running
    }
}
