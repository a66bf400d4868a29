import JobQueue
import LeaseholdCore
import Testing

/// What tenants get of two busy workers. Time is simulated: a run lasts as long as the test says, so
/// shares are exact whatever the machine does.
@Suite struct ShareTests {
    static let mean = 0.003

    @Test func weightsDivideTheRunningTimeWhateverTheJobsLast() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("one", "two", "four")
            try await world.sql(
                "update leasehold.tenant set weight = case tenant_id when 'two' then 2 when 'four' then 4 else 1 end"
            )
            for tenant in tenants { try await world.fill(tenant, jobs: 2500) }
            let random = RandomSource(seed: 1)
            var office = try await Office(world)
            // From almost nothing to many times the mean: each single charge in advance is wrong.
            try await office.work(jobs: 3000) { _ in random.exponential(mean: Self.mean) }
            office.expectShares([tenants[0]: 1.0 / 7, tenants[1]: 2.0 / 7, tenants[2]: 4.0 / 7])
        }
    }

    /// Each difference is far too small for a letter of its own; none may get lost all the same.
    @Test func weightsDivideTheTimeOfJobsThatLastLittleMoreThanTheyAreCharged() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("brief", "briefer")
            for tenant in tenants { try await world.fill(tenant, jobs: 3000) }
            var office = try await Office(world)
            try await office.work(jobs: 3000) { $0 == tenants[0] ? 0.0019 : 0.0011 }
            office.expectShares([tenants[0]: 0.5, tenants[1]: 0.5])
        }
    }

    @Test func aTenantWhoseJobsRunTenTimesAsLongGetsNoMoreRunningTime() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("short", "long")
            for tenant in tenants { try await world.fill(tenant, jobs: 3000) }
            let random = RandomSource(seed: 2)
            var office = try await Office(world)
            try await office.work(jobs: 3000) { tenant in
                random.uniform(in: 0.8...1.2) * (tenant == tenants[1] ? 10 * Self.mean : Self.mean)
            }
            office.expectShares([tenants[0]: 0.5, tenants[1]: 0.5])
        }
    }

    @Test func twentyQueuesAreOneShare() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("many", "single")
            let queues = try (0..<20).map { try QueueName("q\($0)") }
            for queue in queues { try await world.fill(tenants[0], jobs: 150, queue: queue) }
            try await world.fill(tenants[1], jobs: 2500)
            let random = RandomSource(seed: 3)
            var office = try await Office(world, queues: [.default] + queues)
            try await office.work(jobs: 2500) { _ in random.exponential(mean: Self.mean) }
            office.expectShares([tenants[0]: 0.5, tenants[1]: 0.5])
        }
    }

    /// The queues of one tenant share by their weights, and the light one is not forgotten.
    @Test func weightsOfQueuesDivideTheShareOfATenant() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("acme", "other")
            let heavy = try QueueName("heavy")
            try await world.queue.limit(heavy, to: QueueLimits(), weight: 3)
            try await world.fill(tenants[0], jobs: 2500)
            try await world.fill(tenants[0], jobs: 2500, queue: heavy)
            try await world.fill(tenants[1], jobs: 2500)
            var office = try await Office(world, queues: [.default, heavy])
            try await office.work(jobs: 2500) { _ in Self.mean }
            office.expectShares([tenants[0]: 0.5, tenants[1]: 0.5])
            let (three, one) = (office.claims["acme/heavy"] ?? 0, office.claims["acme/default"] ?? 0)
            #expect(abs(Double(three) / Double(one) / 3 - 1) < 0.1, "\(office.claims)")
        }
    }
}

extension RandomSource {
    /// Seconds, exponentially distributed.
    fileprivate func exponential(mean: Double) -> Double {
        var (remaining, steps) = (uniform(in: 0.000_001...1), 0.0)
        // -log(u) without Foundation: halve until the rest is small enough for the series.
        while remaining < 0.5 { (remaining, steps) = (remaining * 2, steps + 0.693_147_180_56) }
        let x = 1 - remaining
        let series = x + x * x / 2 + x * x * x / 3 + x * x * x * x / 4 + x * x * x * x * x / 5
        return mean * (steps + series)
    }
}

extension QueueWorld {
    func fill(_ tenant: TenantID, jobs: Int, queue: QueueName = .default) async throws {
        try await sql(
            """
            insert into leasehold.job (tenant_id, queue, kind)
            select $1, $2, 'noop' from generate_series(1, $3::integer)
            """,
            tenant.rawValue,
            queue.rawValue,
            jobs
        )
    }
}

/// Two workers with sixteen handlers each, on a clock of their own.
private struct Office {
    private struct Run {
        let end: Double
        let job: ClaimedJob
        let seconds: Double
    }

    private static let handlers = 16

    let world: QueueWorld
    let queues: [QueueName]
    private let workers: [WorkerID]
    private var running: [[Run]] = [[], []]
    private var now = 0.0
    /// Seconds of running time by tenant.
    private(set) var received: [TenantID: Double] = [:]
    /// Claimed jobs by "tenant/queue".
    private(set) var claims: [String: Int] = [:]

    init(_ world: QueueWorld, queues: [QueueName] = [.default]) async throws {
        self.world = world
        self.queues = queues
        workers = [try await world.addWorker(queues), try await world.addWorker(queues)]
    }

    /// Claims and settles until so many jobs have been claimed.
    mutating func work(jobs: Int, seconds: (TenantID) -> Double) async throws {
        var left = jobs
        while left > 0 {
            let ends = running.joined().map(\.end)
            now = max(now + 0.002, ends.min() ?? now)
            for index in workers.indices where left > 0 {
                try await settle(index)
                let free = Self.handlers - running[index].count
                if free == 0 { continue }
                for job in try await world.claim(workers[index], min(free, left), queues: queues) {
                    let duration = seconds(job.tenant)
                    running[index].append(Run(end: now + duration, job: job, seconds: duration))
                    received[job.tenant, default: 0] += duration
                    claims["\(job.tenant)/\(job.queue)", default: 0] += 1
                    left -= 1
                }
            }
        }
    }

    private mutating func settle(_ index: Int) async throws {
        let ended = running[index].filter { $0.end <= now }
        if ended.isEmpty { return }
        running[index].removeAll { $0.end <= now }
        let results = try await world.queue.settle(
            ended.map { Settlement(job: $0.job.id, run: $0.job.run, outcome: .completed, ran: .seconds($0.seconds)) }
        )
        #expect(results.allSatisfy { $0 == .settled(.completed) })
    }

    /// Each tenant's part of the running time is within 5 % of what it is due.
    func expectShares(_ due: [TenantID: Double]) {
        let total = received.values.reduce(0, +)
        for (tenant, share) in due {
            let got = received[tenant, default: 0] / total
            #expect(abs(got / share - 1) < 0.05, "\(tenant) got \(got), due \(share)")
        }
    }
}
