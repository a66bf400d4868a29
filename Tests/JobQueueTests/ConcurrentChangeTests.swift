import JobQueue
import LeaseholdCore
import Postgres
import Testing

/// Rows of running jobs are changed by others (progress, remembered requests, cancel requests) while
/// their settle is under way.
@Suite struct ConcurrentChangeTests {
    @Test func aSettleWhoseOnlyRowChangesUnderItIsWritten() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let job = try #require(await world.claim(worker).first)
            let settling = try await world.pool.withTransaction { connection in
                #expect(try await world.queue.saveProgress(job: job.id, run: job.run, json: "{}", on: connection))
                // Outlives the transaction on purpose: it waits for the lock that ends with it.
                let settling = Task { try await world.settle(job, .completed) }
                while try await world.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                ) == 0 {}
                return settling
            }
            #expect(try await settling.value == .settled(.completed))
            #expect(try await world.number("select count(*) from leasehold.job") == 0)
        }
    }

    @Test func aRequestRememberedDuringTheSettleIsNotLost() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let request = JobRequest(tenant: tenant, kind: .noop, uniqueKey: "one", onDuplicate: .reschedule)
            _ = try await world.queue.enqueue(request)
            let job = try #require(await world.claim(worker).first)
            let settling = try await world.pool.withTransaction { connection in
                _ = try await world.queue.enqueue([request], on: connection)
                let settling = Task { try await world.settle(job, .completed) }
                while try await world.number(
                    "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
                ) == 0 {}
                return settling
            }
            #expect(try await settling.value == .settled(.completed))
            #expect(try await world.claim(worker).count == 1)
        }
    }
}
