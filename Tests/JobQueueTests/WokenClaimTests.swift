import Foundation
import JobQueue
import LeaseholdCore
import Testing

/// The short way of a worker that a notification has just woken: what it leaves out must not matter.
@Suite struct WokenClaimTests {
    @Test func `Single jobs of several tenants are claimed, and their letters are gone`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a", "b", "c")
            let worker = try await world.addWorker()
            #expect(try await world.claim(worker).isEmpty)
            let ids = try await world.queue.enqueue(tenants.map { JobRequest(tenant: $0, kind: .noop) }).map(\.id)
            let jobs = try await world.claim(worker, woken: true)
            #expect(Set(jobs.map(\.id)) == Set(ids))
            #expect(try await world.number("select count(*) from leasehold.wake") == 0)
            #expect(try await world.number("select count(*) from leasehold.lane") == 0, "no line was needed")
            try await world.complete(jobs)
            #expect(try await world.claim(worker, woken: true).isEmpty)
            #expect(try await world.claim(worker).isEmpty)
        }
    }

    @Test func `Several jobs of one tenant are claimed at once if all that waits fits`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("many", "one")
            let worker = try await world.addWorker()
            #expect(try await world.claim(worker).isEmpty)
            for tenant in [tenants[0], tenants[1], tenants[0]] {
                _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            }
            let jobs = try await world.claim(worker, woken: true)
            #expect(jobs.map(\.tenant.rawValue).sorted() == ["many", "many", "one"])
            #expect(Set(jobs.map(\.id)).count == 3)
            #expect(try await world.number("select count(*) from leasehold.lane") == 0, "no line was needed")
        }
    }

    @Test func `More than fits is divided among the tenants`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("many", "one")
            let worker = try await world.addWorker()
            #expect(try await world.claim(worker).isEmpty)
            for tenant in [tenants[0], tenants[0], tenants[0], tenants[1]] {
                _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            }
            let jobs = try await world.claim(worker, 2, woken: true)
            #expect(jobs.count == 2)
            #expect(jobs.contains { $0.tenant == tenants[1] })
        }
    }

    @Test func `A worker that has lapsed is told so`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a")
            let worker = try await world.addWorker()
            #expect(try await world.claim(worker).isEmpty)
            _ = try await world.queue.enqueue(JobRequest(tenant: tenants[0], kind: .noop))
            try await world.lapse(worker)
            _ = try await world.queue.rescue()
            await #expect(throws: JobQueueError.self) { try await world.claim(worker, woken: true) }
            let other = try await world.addWorker()
            #expect(try await world.claim(other, woken: true).count == 1)
        }
    }

    @Test func `While a line waits it is served as by any claim`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("large", "small")
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...50).map { _ in JobRequest(tenant: tenants[0], kind: .noop) })
            #expect(try await world.claim(worker, 10).count == 10)
            _ = try await world.queue.enqueue(JobRequest(tenant: tenants[1], kind: .noop))
            let jobs = try await world.claim(worker, 10, woken: true)
            #expect(jobs.count == 10)
            #expect(jobs.contains { $0.tenant == tenants[1] })
        }
    }

    @Test func `A job that has come due is not passed over`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("early", "late")
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(
                JobRequest(tenant: tenants[0], kind: .noop, runAt: Date().addingTimeInterval(3600))
            )
            #expect(try await world.claim(worker).isEmpty)
            try await world.makeDue()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenants[1], kind: .noop))
            let jobs = try await world.claim(worker, woken: true)
            #expect(jobs.map(\.tenant.rawValue).sorted() == ["early", "late"])
        }
    }

    @Test func `Limits and pauses hold`() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("limited", "paused", "free")
            let worker = try await world.addWorker()
            #expect(try await world.claim(worker).isEmpty)
            try await world.sql("update leasehold.tenant set max_running = 1 where tenant_id = 'limited'")
            try await world.sql("update leasehold.tenant set state = 'paused' where tenant_id = 'paused'")
            _ = try await world.queue.enqueue(tenants.map { JobRequest(tenant: $0, kind: .noop) })
            _ = try await world.queue.enqueue(JobRequest(tenant: tenants[0], kind: .noop))
            let first = try await world.claim(worker, woken: true)
            #expect(first.map(\.tenant.rawValue) == ["free"], "what has to be looked up is left to the next claim")
            let second = try await world.claim(worker, woken: true)
            #expect(second.map(\.tenant.rawValue) == ["limited"])
            #expect(try await world.claim(worker, woken: true).isEmpty)
            try await world.queue.pause(.default)
            _ = try await world.queue.enqueue(JobRequest(tenant: tenants[2], kind: .noop))
            #expect(try await world.claim(worker, woken: true).isEmpty)
        }
    }
}
