import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

/// Retry, cancel, discard and count of all jobs that a filter lets through.
@Suite struct ManyJobsTests {
    private func enqueue(_ world: QueueWorld, _ tenant: TenantID, _ count: Int, _ kind: JobKind = .noop) async throws {
        _ = try await world.queue.enqueue((0..<count).map { _ in JobRequest(tenant: tenant, kind: kind) })
    }

    @Test func batchesGoOnUntilAllThatMatchAreDoneAndLeaveTheRestAlone() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a", "b")
            let other = try JobKind("other")
            try await enqueue(world, tenants[0], 7)
            try await enqueue(world, tenants[0], 3, other)
            try await enqueue(world, tenants[1], 2)
            let selection = JobSelection(tenant: tenants[0], kind: .noop)
            let first = try await world.queue.steer(.cancel, selection, limit: 4)
            #expect(first.matched == 4 && first.done == 4)
            let next = try #require(first.goesOn)
            let second = try await world.queue.steer(.cancel, selection, before: next, limit: 4)
            #expect(second.matched == 3 && second.done == 3 && second.goesOn == nil)
            #expect(try await world.number("select count(*) from leasehold.job") == 5)
            #expect(
                try await world.number("select count(*) from leasehold.job_history where outcome = 'cancelled'") == 7
            )
        }
    }

    @Test func whatWasDiscardedForOneErrorRunsAgainOnce() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            try await enqueue(world, tenant, 4)
            let worker = try await world.addWorker()
            for (index, job) in try await world.claim(worker).enumerated() {
                try await world.settle(job, .discard(reason: "no"), label: index < 3 ? "timeout" : "broken")
            }
            let selection = JobSelection(kind: .noop, errorLabel: "timeout")
            #expect(
                try await world.queue.steer(.count, JobSelection(state: .discarded, errorLabel: "timeout")).matched == 3
            )
            let batch = try await world.queue.steerAll(.retry, selection)
            #expect(batch.done == 3 && batch.refused == 0)
            #expect(try await world.number("select count(*) from leasehold.job where state = 'ready'") == 3)
            // They are no more among the discarded.
            #expect(try await world.queue.steerAll(.retry, selection).matched == 0)
            #expect(try await world.claim(worker).count == 3)
        }
    }

    @Test func aUniqueKeyThatIsTakenRefusesOneJobAndNotTheBatch() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            let worker = try await world.addWorker()
            for _ in 0..<2 {
                try await world.sql("select leasehold.enqueue('a', 'noop', unique_key => 'k')")
                try await enqueue(world, tenant, 1)
                for job in try await world.claim(worker) { try await world.settle(job, .discard(reason: "no")) }
            }
            let batch = try await world.queue.steerAll(.retry, JobSelection(tenant: tenant))
            #expect(batch.matched == 4 && batch.done == 3 && batch.refused == 1)
        }
    }

    @Test func runningJobsAreAskedToStopByCancelAndLeftByDiscard() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            try await enqueue(world, tenant, 2)
            let worker = try await world.addWorker()
            _ = try await world.claim(worker, 1)
            let discard = try await world.queue.steerAll(.discard, JobSelection(tenant: tenant))
            #expect(discard.done == 1 && discard.refused == 1)
            let cancel = try await world.queue.steerAll(.cancel, JobSelection(tenant: tenant))
            #expect(cancel.done == 1)
            #expect(try await world.number("select count(*) from leasehold.job_cancel") == 1)
        }
    }

    @Test func everythingHasToBeMeant() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            try await enqueue(world, tenant, 2)
            let refusals: [(ManyVerb, JobSelection)] = [
                (.cancel, JobSelection()), (.cancel, JobSelection(state: .ready)),
                (.retry, JobSelection(tenant: tenant, state: .running)),
                (.cancel, JobSelection(tenant: tenant, state: .completed)),
            ]
            for (verb, selection) in refusals {
                await #expect { try await world.queue.steer(verb, selection) } throws: { error in
                    (error as? JobQueueError)?.code == .invalidRequest
                }
            }
            #expect(try await world.number("select count(*) from leasehold.job") == 2)
            #expect(try await world.queue.steerAll(.cancel, JobSelection(everything: true)).done == 2)
        }
    }

    @Test func aBatchLooksAtABoundedNumberOfJobs() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("many", "few")
            try await world.sql("insert into leasehold.job (tenant_id, kind) select 'few', 'noop'")
            try await world.sql(
                "insert into leasehold.job (tenant_id, kind) select 'many', 'noop' from generate_series(1, 12000)"
            )
            let first = try await world.queue.steer(.count, JobSelection(tenant: tenants[1]))
            #expect(first.looked == 5000 && first.matched == 0 && first.goesOn != nil)
            let all = try await world.queue.steerAll(.count, JobSelection(tenant: tenants[1]))
            #expect(all.looked == 12_001 && all.matched == 1)
        }
    }
}
