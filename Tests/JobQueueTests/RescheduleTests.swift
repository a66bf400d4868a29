import Foundation
import JobQueue
import LeaseholdCore
import TestSupport
import Testing

/// Another time for a job that waits.
@Suite struct RescheduleTests {
    @Test func aReadyJobIsPutOffAndAScheduledOneBroughtForward() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            let worker = try await world.addWorker()
            let job = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)])[0].id
            let later = Date().addingTimeInterval(3600)
            #expect(try await world.queue.reschedule(job, to: later) == .scheduled)
            #expect(try await world.claim(worker).isEmpty)
            let runAt = try await world.queue.show(job).summary.runAt
            #expect(abs(runAt.timeIntervalSince(later)) < 0.001)
            #expect(try await world.queue.reschedule(job, to: Date().addingTimeInterval(-1)) == .scheduled)
            #expect(try await world.claim(worker).map(\.id) == [job])
            #expect(try await world.number("select count(*) from leasehold.action where verb = 'reschedule'") == 2)
        }
    }

    @Test func aParkedJobWaitsForItsTimeAfterItsRelease() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            let job = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)])[0].id
            try await world.queue.park(tenant, reason: "authorization")
            #expect(try await world.queue.reschedule(job, to: Date().addingTimeInterval(3600)) == .parked)
            try await world.queue.unpark(tenant)
            #expect(try await world.state(job) == .scheduled)
        }
    }

    @Test func whatRunsOrHasEndedIsLeftAlone() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            let worker = try await world.addWorker()
            let job = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)])[0].id
            let claimed = try await world.claim(worker)
            #expect(try await world.queue.reschedule(job, to: Date()) == .running)
            try await world.complete(claimed)
            #expect(try await world.queue.reschedule(job, to: Date()) == .ended)
            await #expect { try await world.queue.reschedule(JobID(rawValue: 999_999), to: Date()) } throws: { error in
                (error as? JobQueueError)?.code == .unknownJob
            }
        }
    }
}
