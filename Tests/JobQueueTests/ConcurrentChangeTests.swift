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
                try await world.untilOneWaits()
                return settling
            }
            #expect(try await settling.value == .settled(.completed))
            #expect(try await world.number("select count(*) from leasehold.job") == 0)
        }
    }

    /// A settle holds some of the running jobs and waits for others, and so does a limit that is to count
    /// them: the server would end one of the two.
    @Test(arguments: LimitTests.Scope.allCases)
    func aLimitThatBeginsGivesWayToTheSettlesOfWhatRuns(scope: LimitTests.Scope) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...2).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            let jobs = try await world.claim(worker)
            let limiting = try await world.pool.withTransaction { connection in
                try await world.complete([jobs[1]], on: connection)
                // Outlives the transaction on purpose: it waits for the lock that ends with it.
                let limiting = Task { try await world.limit(scope, running: 5) }
                try await world.untilOneWaits()
                try await world.complete([jobs[0]], on: connection)
                return limiting
            }
            try await limiting.value
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
                try await world.untilOneWaits()
                return settling
            }
            #expect(try await settling.value == .settled(.completed))
            #expect(try await world.claim(worker).count == 1)
        }
    }
}
