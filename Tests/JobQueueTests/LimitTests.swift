import Foundation
import JobQueue
import LeaseholdCore
import Testing

@Suite struct LimitTests {
    enum Scope: String, CaseIterable, Sendable {
        case tenant
        case queue
        case kind
    }

    @Test(arguments: Scope.allCases)
    func aLimitOfRunningJobsIsKeptAndEveryFreePlaceIsUsedAtOnce(scope: Scope) async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("acme", "other")
            let worker = try await world.addWorker()
            try await world.limit(scope, running: 3)
            _ = try await world.queue.enqueue((1...12).map { _ in JobRequest(tenant: tenants[0], kind: .noop) })
            var running = try await world.claim(worker, 10)
            #expect(running.count == 3)
            for left in stride(from: 8, through: 0, by: -1) {
                #expect(try await world.claim(worker, 10).isEmpty)
                // The place is used at once, without waiting for anything.
                try await world.complete([running.removeFirst()])
                let next = try await world.claim(worker, 10)
                #expect(next.count == 1, "\(left) left")
                running += next
            }
            try await world.complete(running)
            #expect(try await world.claim(worker, 10).isEmpty)
        }
    }

    @Test(arguments: Scope.allCases)
    func aLimitIsNeverBrokenByManyClaimers(scope: Scope) async throws {
        try await withWorld(size: 8) { world in
            let tenants = try await world.addTenants("acme", "other", "third")
            let queues = [QueueName.default, try QueueName("second")]
            let worker = try await world.addWorker(queues)
            try await world.limit(scope, running: 5)
            for tenant in scope == .tenant ? [tenants[0]] : tenants {
                for queue in scope == .queue ? [.default] : queues {
                    _ = try await world.queue.enqueue(
                        (1...60).map { _ in JobRequest(tenant: tenant, kind: .noop, queue: queue) }
                    )
                }
            }
            let total = try await world.number("select count(*) from leasehold.job")
            let done = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...8 {
                    group.addTask {
                        var (done, idle) = (0, 0)
                        while idle < 200 {
                            let jobs = try await world.claim(worker, 4, queues: queues)
                            let running = try await world.number(
                                "select count(*) from leasehold.job where state = 'running'"
                            )
                            #expect(running <= 5)
                            try await world.complete(jobs)
                            done += jobs.count
                            idle = jobs.isEmpty ? idle + 1 : 0
                            if jobs.isEmpty, try await world.number("select count(*) from leasehold.job") == 0 { break }
                        }
                        return done
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(done == total)
        }
    }

    @Test func aTenantAtItsLimitDoesNotHoldUpOthers() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("full", "free")
            let worker = try await world.addWorker()
            try await world.limit(.tenant, running: 1, of: "full")
            for tenant in tenants {
                _ = try await world.queue.enqueue((1...50).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            }
            // A claim that came upon a lane that gives nothing and has gone on for long goes home with what it
            // has. It has closed that lane: however slow the machine is, a claim a tenant and one more do.
            var jobs: [ClaimedJob] = []
            for _ in 0...tenants.count { jobs += try await world.claim(worker, 60 - jobs.count) }
            #expect(jobs.filter { $0.tenant == tenants[0] }.count == 1)
            #expect(jobs.filter { $0.tenant == tenants[1] }.count == 50)
        }
    }

    @Test func jobsOfALimitedKindDoNotStandBeforeOthersOfTheirTenant() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heavy = try JobKind("heavy")
            try await world.queue.limit(heavy, to: QueueLimits(maxRunning: 2))
            _ = try await world.queue.enqueue((1...100).map { _ in JobRequest(tenant: tenant, kind: heavy) })
            _ = try await world.queue.enqueue((1...10).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            let jobs = try await world.claim(worker, 50)
            #expect(jobs.filter { $0.kind == heavy }.count == 2)
            #expect(jobs.filter { $0.kind == .noop }.count == 10)
        }
    }

    @Test func aLimitThatComesWhileJobsRunCountsThem() async throws {
        for scope in Scope.allCases {
            try await withWorld { world in
                let tenant = try await world.addTenants("acme")[0]
                let worker = try await world.addWorker()
                _ = try await world.queue.enqueue((1...20).map { _ in JobRequest(tenant: tenant, kind: .noop) })
                let running = try await world.claim(worker, 4)
                try await world.limit(scope, running: 5)
                #expect(try await world.claim(worker, 10).count == 1, "\(scope)")
                try await world.complete(Array(running.prefix(2)))
                #expect(try await world.claim(worker, 10).count == 2, "\(scope)")
                try await world.limit(scope, running: nil)
                #expect(try await world.claim(worker, 100).count == 13, "\(scope)")
            }
        }
    }

    @Test(arguments: Scope.allCases)
    func aRateLetsABurstThroughAndThenItsPace(scope: Scope) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.limit(scope, ratePerSecond: 0.001, burst: 3)
            _ = try await world.queue.enqueue((1...10).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            try await world.complete(try await world.claim(worker, 2))
            #expect(try await world.claim(worker, 10).count == 1)
            #expect(try await world.claim(worker, 10).isEmpty)
            if scope == .tenant { #expect(try await world.queue.outlook().dueIn != nil) }
            // Two thousand seconds later there are two more.
            try await world.sql("update leasehold.bucket set filled_at = filled_at - interval '2000 seconds'")
            try await world.sql("update leasehold.lane set look_at = clock_timestamp() where look_at is not null")
            #expect(try await world.claim(worker, 10).count == 2)
            #expect(try await world.claim(worker, 10).isEmpty)
        }
    }

    @Test(arguments: Scope.allCases)
    func pausedMeansNothingIsClaimedAndResumedMeansAtOnce(scope: Scope) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...5).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            try await world.pause(scope, true)
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            #expect(try await world.claim(worker, 10).isEmpty)
            #expect(try await world.claim(worker, 10).isEmpty)
            try await world.pause(scope, false)
            #expect(try await world.claim(worker, 10).count == 6)
        }
    }

    @Test func waitingIsReportedByItsCause() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("full", "alone")
            let worker = try await world.addWorker()
            try await world.limit(.tenant, running: 1, of: "full")
            _ = try await world.queue.enqueue((1...2).map { _ in JobRequest(tenant: tenants[0], kind: .noop) })
            let first = try await world.claim(worker, 10)
            #expect(try await world.claim(worker, 10).isEmpty)
            try await world.sql("update leasehold.lane set since = since - interval '50 seconds'")
            try await world.sql(
                "update leasehold.job set ready_at = ready_at - interval '60 seconds' where state = 'ready'"
            )
            try await world.complete(first)
            let second = try #require(try await world.claim(worker, 10).first)
            try await world.complete([second])
            let waits = try await world.queue.show(second.id).waits
            #expect(waits.limit >= .seconds(50) && waits.limit < .seconds(59))
            #expect(waits.turn + waits.worker > .seconds(1))
        }
    }
}

extension QueueWorld {
    func limit(_ scope: LimitTests.Scope, running: Int?, of tenant: String = "acme") async throws {
        switch scope {
        case .tenant:
            try await sql("update leasehold.tenant set max_running = $1 where tenant_id = $2", running, tenant)
        case .queue: try await queue.limit(.default, to: QueueLimits(maxRunning: running))
        case .kind: try await queue.limit(.noop, to: QueueLimits(maxRunning: running))
        }
    }

    func limit(_ scope: LimitTests.Scope, ratePerSecond: Double, burst: Int) async throws {
        let limits = QueueLimits(ratePerSecond: ratePerSecond, rateBurst: burst)
        switch scope {
        case .tenant:
            try await sql("update leasehold.tenant set rate_per_second = $1, rate_burst = $2", ratePerSecond, burst)
        case .queue: try await queue.limit(.default, to: limits)
        case .kind: try await queue.limit(.noop, to: limits)
        }
    }

    func pause(_ scope: LimitTests.Scope, _ isPaused: Bool) async throws {
        switch scope {
        case .tenant: try await sql("update leasehold.tenant set state = $1", isPaused ? "paused" : "active")
        case .queue: try await isPaused ? queue.pause(.default) : queue.resume(.default)
        case .kind: try await isPaused ? queue.pause(.noop) : queue.resume(.noop)
        }
    }
}
