import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import Testing

/// What waits for a turn of its sequence key, or for other jobs.
@Suite struct GateTests {
    @Test func jobsOfASequenceKeyRunOneAfterAnotherWhateverComesBetween() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let ids = try await world.queue.enqueue((1...5).map { _ in sequenced(tenant, "k") }).map(\.id)
            _ = try await world.queue.enqueue(sequenced(tenant, "other"))
            var order: [JobID] = []
            var isFirst = true
            while order.count < 5 {
                let jobs = try await world.claim(worker, 100)
                let mine = jobs.filter { ids.contains($0.id) }
                try #require(mine.count == 1)
                if isFirst {
                    // A retry keeps the turn.
                    try await world.settle(mine[0], .retry(reason: "x", after: .seconds(60)))
                    #expect(try await world.claim(worker, 100).isEmpty)
                    try await world.makeDue()
                    isFirst = false
                } else {
                    order.append(mine[0].id)
                    try await world.settle(mine[0], .completed)
                }
            }
            #expect(order == ids)
        }
    }

    @Test func theNextOfASequenceKeyIsNotPassedOverWhileSomebodyHoldsIt() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let ids = try await world.queue.enqueue((1...2).map { _ in sequenced(tenant, "k") }).map(\.id)
            try await world.pool.withTransaction { connection in
                try await connection.query(
                    sql: "select from leasehold.job where job_id = $1 for update",
                    ids[0].rawValue
                )
                #expect(try await world.claim(worker, 10).isEmpty)
            }
            #expect(try await world.claim(worker, 10).map(\.id) == [ids[0]])
        }
    }

    @Test func aJobThatIsPutOffKeepsTheTurnOfItsKey() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.limit(.tenant, running: 1, of: "acme")
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let other = try await world.claim(worker, 10)
            let ids = try await world.queue.enqueue((1...2).map { _ in sequenced(tenant, "k") }).map(\.id)
            #expect(try await world.claim(worker, 10).isEmpty, "the first has the turn, and no place")
            #expect(try await world.queue.reschedule(ids[0], to: Date().addingTimeInterval(3600)) == .scheduled)
            try await world.complete(other)
            #expect(try await world.claim(worker, 10).isEmpty)
            try await world.makeDue()
            var order: [JobID] = []
            for _ in 1...2 {
                let jobs = try await world.claim(worker, 10)
                order += jobs.map(\.id)
                try await world.complete(jobs)
            }
            #expect(order == ids)
        }
    }

    @Test func noTwoJobsOfASequenceKeyEverRunAtOnce() async throws {
        try await withWorld(size: 8) { world in
            let tenants = try await world.addTenants("a", "b")
            let worker = try await world.addWorker()
            for tenant in tenants {
                _ = try await world.queue.enqueue((1...40).map { sequenced(tenant, "k\($0 % 4)") })
            }
            let done = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...8 {
                    group.addTask {
                        var done = 0
                        var idle = 0
                        while idle < 40 {
                            let jobs = try await world.claim(worker, 3)
                            let together = try await world.number(
                                """
                                select count(*) from (select from leasehold.job where state = 'running'
                                    group by tenant_id, sequence_key having count(*) > 1) as double
                                """
                            )
                            #expect(together == 0)
                            try await world.complete(jobs)
                            done += jobs.count
                            idle = jobs.isEmpty ? idle + 1 : 0
                        }
                        return done
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(done == 80)
        }
    }

    @Test func aFutureJobOfASequenceKeyHoldsNobodyUp() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            var later = sequenced(tenant, "k")
            later.runAt = Date().addingTimeInterval(600)
            let future = try await world.queue.enqueue(later).id
            let now = try await world.queue.enqueue(sequenced(tenant, "k")).id
            let running = try await world.claim(worker)
            #expect(running.map(\.id) == [now])
            try await world.makeDue()
            #expect(try await world.claim(worker).isEmpty)
            try await world.complete(running)
            #expect(try await world.claim(worker).map(\.id) == [future])
        }
    }

    @Test func aJobStartsWhenAllItWaitsForHaveEnded() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let parts = try await world.queue.enqueue((1...3).map { _ in JobRequest(tenant: tenant, kind: .noop) }).map(
                \.id
            )
            let last = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, after: parts)).id
            let running = try await world.claim(worker)
            #expect(running.map(\.id) == parts)
            try await world.complete(Array(running.dropLast()))
            #expect(try await world.claim(worker).isEmpty)
            #expect(try await world.state(last) == .parked)
            try await world.complete([running[2]])
            #expect(try await world.claim(worker).map(\.id) == [last])
        }
    }

    @Test(arguments: [JobRequest.DependencyPolicy.cancel, .run])
    func aFailureCancelsWhatDependsOnItUnlessItSaysRun(policy: JobRequest.DependencyPolicy) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let first = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop)).id
            let second = try await world.queue.enqueue(
                JobRequest(tenant: tenant, kind: .noop, after: [first], onFailure: policy)
            ).id
            let third = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, after: [second])).id
            try await world.settle(try #require(await world.claim(worker).first), .discard(reason: "no"))
            #expect(try await world.claim(worker).map(\.id) == (policy == .run ? [second] : []))
            #expect(try await world.state(third) == (policy == .run ? .parked : .cancelled))
        }
    }

    /// The needed job ends while the transaction that names it is still open.
    @Test func aJobWhoseNeededJobEndedBeforeItsCommitStarts() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let first = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop)).id
            let running = try await world.claim(worker)
            var second: JobID?
            try await world.pool.withTransaction { open in
                second = try await world.queue.enqueue(
                    [JobRequest(tenant: tenant, kind: .noop, after: [first])],
                    on: open
                )[0].id
                try await world.complete(running)
            }
            #expect(try await world.claim(worker).map(\.id) == [second])
        }
    }

    /// The job is on its way to park itself while the tenant is being unparked.
    @Test func aJobCannotParkItselfAfterTheEventItWaitsFor() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let job = try #require(try await world.claim(worker).first)
            try await world.queue.unpark(tenant)
            #expect(try await world.settle(job, .park(reason: "no token")) == .settled(.ready))
            #expect(try await world.claim(worker).map(\.id) == [job.id])
        }
    }

    @Test func aParkedTenantWaitsAsAWholeAndLosesNoAttempt() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("acme", "other")
            let worker = try await world.addWorker()
            for tenant in tenants {
                _ = try await world.queue.enqueue((1...20).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            }
            #expect(try await world.queue.park(tenants[0], reason: "access was revoked") == 20)
            let taken = try await world.claim(worker, 100)
            #expect(taken.allSatisfy { $0.tenant == tenants[1] })
            #expect(taken.count == 20)
            #expect(try await world.queue.unpark(tenants[0]) == 20)
            let resumed = try await world.claim(worker, 100)
            #expect(resumed.count == 20)
            #expect(resumed.allSatisfy { $0.attempt == 1 && $0.waited > .zero })
        }
    }

    private func sequenced(_ tenant: TenantID, _ key: String) -> JobRequest {
        JobRequest(tenant: tenant, kind: .noop, sequenceKey: key)
    }
}
