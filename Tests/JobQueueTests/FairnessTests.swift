import JobQueue
import LeaseholdCore
import Testing

@Suite struct FairnessTests {
    @Test(arguments: [1, 10, 100])
    func tenSmallTenantsStartBeforeAThousandJobsOfTheBigOne(limit: Int) async throws {
        try await withWorld { world in
            let names = (1...10).map { "small-\($0)" }
            let tenants = try await world.addTenants(["big"] + names)
            let worker = try await world.addWorker()
            try await world.sql(
                "insert into leasehold.job (tenant_id, kind) select 'big', 'noop' from generate_series(1, 20000)"
            )
            for tenant in tenants.dropFirst() {
                _ = try await world.queue.enqueue((1...10).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            }
            var started: [TenantID: Int] = [:]
            while started.filter({ $0.key != tenants[0] }).values.reduce(0, +) < 100 {
                let jobs = try await world.claim(worker, limit)
                for job in jobs { started[job.tenant, default: 0] += 1 }
                #expect(started[tenants[0], default: 0] < 1000)
                try #require(!jobs.isEmpty)
                try await world.complete(jobs)
            }
            #expect(started[tenants[0], default: 0] > 0)
        }
    }

    @Test func oneTenantGivesWorkToSixtyFourClaimersAtOnce() async throws {
        try await withWorld(size: 8) { world in
            _ = try await world.addTenants("only")
            let worker = try await world.addWorker()
            try await world.sql(
                "insert into leasehold.job (tenant_id, kind) select 'only', 'noop' from generate_series(1, 6401)"
            )
            // Until somebody has read what arrived, there is no lane to wait for.
            #expect(try await world.claim(worker, 1).count == 1)
            let claimed = try await withThrowingTaskGroup(of: [ClaimedJob].self) { group in
                for _ in 1...64 { group.addTask { try await world.claim(worker, 100) } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(claimed.count == 64)
            #expect(claimed.allSatisfy { $0.count == 100 }, "sizes: \(claimed.map(\.count))")
            #expect(Set(claimed.joined().map(\.id)).count == 6400)
        }
    }

    @Test func tenantsShareByWeight() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("one", "two", "four")
            try await world.sql(
                "update leasehold.tenant set weight = case tenant_id when 'two' then 2 when 'four' then 4 else 1 end"
            )
            let counts = try await shares(of: tenants, in: world, jobs: 7000, claims: 70) { _ in .milliseconds(1) }
            let total = Double(counts.values.reduce(0, +))
            for (tenant, share) in zip(tenants, [1.0 / 7, 2.0 / 7, 4.0 / 7]) {
                let got = Double(counts[tenant, default: 0]) / total
                #expect(abs(got - share) < 0.02, "\(tenant) got \(got), due \(share)")
            }
        }
    }

    @Test func jobsThatRunTenTimesAsLongGetNoMoreRunningTime() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("short", "long")
            let counts = try await shares(of: tenants, in: world, jobs: 20_000, claims: 200) { tenant in
                tenant == tenants[1] ? .milliseconds(100) : .milliseconds(10)
            }
            let time = [Double(counts[tenants[0], default: 0]) * 10, Double(counts[tenants[1], default: 0]) * 100]
            #expect(abs(time[1] / time[0] - 1) < 0.1, "running time: \(time)")
        }
    }

    @Test func aTenantWithTwentyQueuesGetsOneShare() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("many", "few")
            let queues = try (0..<20).map { try QueueName("q\($0)") }
            let worker = try await world.addWorker(queues)
            try await world.sql(
                """
                insert into leasehold.job (tenant_id, queue, kind)
                select 'many', 'q' || i % 20, 'noop' from generate_series(1, 20000) as i
                union all select 'few', 'q0', 'noop' from generate_series(1, 20000)
                """
            )
            var counts: [TenantID: Int] = [:]
            for _ in 1...100 {
                let jobs = try await world.claim(worker, 40, queues: queues)
                for job in jobs { counts[job.tenant, default: 0] += 1 }
                try await world.complete(jobs)
            }
            let ratio = Double(counts[tenants[0], default: 0]) / Double(counts[tenants[1], default: 0])
            #expect(ratio > 0.85 && ratio < 1.15, "twenty queues to one: \(counts)")
        }
    }

    /// One job at a time, the next as soon as the last one has run: never a backlog, and yet not
    /// more than its share while others wait.
    @Test func aTenantThatSendsOneJobAtATimeCannotKeepTheOnlyWorker() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("patient", "eager")
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...500).map { _ in JobRequest(tenant: tenants[0], kind: .noop) })
            var counts: [TenantID: Int] = [:]
            for _ in 1...200 {
                if try await world.number("select count(*) from leasehold.job where tenant_id = 'eager'") == 0 {
                    _ = try await world.queue.enqueue(JobRequest(tenant: tenants[1], kind: .noop))
                }
                let jobs = try await world.claim(worker, 1)
                for job in jobs { counts[job.tenant, default: 0] += 1 }
                try await world.complete(jobs)
            }
            #expect(counts[tenants[0], default: 0] >= 80, "\(counts)")
            #expect(counts[tenants[1], default: 0] >= 80, "\(counts)")
        }
    }

    @Test func aReturningTenantDoesNotBurstAheadOfThoseWhoWaited() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("steady", "bursty")
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...2000).map { _ in JobRequest(tenant: tenants[0], kind: .noop) })
            for _ in 1...20 { try await world.complete(try await world.claim(worker, 50)) }
            _ = try await world.queue.enqueue((1...1000).map { _ in JobRequest(tenant: tenants[1], kind: .noop) })
            var counts: [TenantID: Int] = [:]
            for _ in 1...10 {
                let jobs = try await world.claim(worker, 50)
                for job in jobs { counts[job.tenant, default: 0] += 1 }
                try await world.complete(jobs)
            }
            // Not served for the thousand jobs that it did not wait for.
            #expect(counts[tenants[0], default: 0] > 180, "\(counts)")
        }
    }

    @Test func urgentJobsOfATenantRunFirstAndTheRestKeepsItsOrder() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let plain = try await world.queue.enqueue((1...30).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            #expect(try await world.claim(worker, 5).map(\.id) == plain[0..<5].map(\.id))
            let urgent = try await world.queue.enqueue(
                (1...3).map { _ in
                    JobRequest(tenant: tenant, kind: .noop, priority: -10)
                }
            )
            let late = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, priority: 10))
            #expect(try await world.claim(worker, 4).map(\.id) == urgent.map(\.id) + [plain[5].id])
            let more = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, priority: -1))
            #expect(try await world.claim(worker, 100).map(\.id) == [more.id] + plain[6...].map(\.id) + [late.id])
        }
    }

    private func shares(
        of tenants: [TenantID],
        in world: QueueWorld,
        jobs: Int,
        claims: Int,
        ran: (TenantID) -> Duration
    ) async throws -> [TenantID: Int] {
        let worker = try await world.addWorker()
        for tenant in tenants {
            try await world.sql(
                "insert into leasehold.job (tenant_id, kind) select $1, 'noop' from generate_series(1, $2::integer)",
                tenant.rawValue,
                jobs
            )
        }
        var counts: [TenantID: Int] = [:]
        for _ in 1...claims {
            let taken = try await world.claim(worker, 50)
            for job in taken { counts[job.tenant, default: 0] += 1 }
            _ = try await world.queue.settle(
                taken.map { Settlement(job: $0.id, run: $0.run, outcome: .completed, ran: ran($0.tenant)) }
            )
        }
        return counts
    }
}
