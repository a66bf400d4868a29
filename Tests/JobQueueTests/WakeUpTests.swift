import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import Testing

@Suite struct WakeUpTests {
    @Test func enqueuesNotifyOnlyWhileAWorkerOfTheQueueSleeps() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heard = try await world.heard {
                _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
                try await world.queue.sleep(worker, for: .seconds(60))
                _ = try await world.queue.enqueue(
                    JobRequest(tenant: tenant, kind: .noop, queue: try QueueName("other"))
                )
            }
            #expect(heard == [])
            let second = try await world.heard {
                _ = try await world.queue.enqueue((1...50).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            }
            #expect(second == ["default"])
            try await world.queue.wake(worker)
            let third = try await world.heard {
                _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            }
            #expect(third == [])
        }
    }

    /// The transaction was open before the worker fell asleep and commits after.
    @Test func aTransactionOpenSinceBeforeTheSleepNotifiesAtItsCommit() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heard = try await world.heard {
                try await world.pool.withTransaction { connection in
                    _ = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                    try await world.queue.sleep(worker, for: .seconds(60))
                    #expect(try await world.claim(worker).isEmpty)
                }
            }
            #expect(heard == ["default"])
            #expect(try await world.claim(worker).count == 1)
        }
    }

    /// The narrowest gap: the transaction has looked for sleepers and found none, the worker falls
    /// asleep and looks for jobs and finds none, the transaction commits.
    @Test func aWorkerKnowsThatACommitMayComeWithoutANotification() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heard = try await world.heard {
                try await world.pool.withTransaction { connection in
                    _ = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                    try await connection.run(script: "set constraints all immediate")
                    try await world.queue.sleep(worker, for: .seconds(60))
                    #expect(try await world.queue.outlook().inFlight)
                    #expect(try await world.claim(worker).isEmpty)
                }
            }
            #expect(heard == [])
            #expect(try await world.claim(worker).count == 1)
        }
    }

    @Test func theOutlookNamesTheNextDueJob() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            #expect(try await world.queue.outlook().dueIn == nil)
            let due = try await world.sql("select date_trunc('second', now()) + interval '5 minutes'").only
                .decode(0, as: Date.self)
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, runAt: due))
            _ = try await world.queue.enqueue(
                JobRequest(tenant: tenant, kind: .noop, runAt: due.addingTimeInterval(60))
            )
            // The later one is a minute after it.
            let outlook = try await world.queue.outlook()
            let dueIn = try #require(outlook.dueIn)
            #expect(dueIn > .zero && dueIn <= .seconds(300))
        }
    }

    @Test func aJobWhoseTimeHasComeIsClaimed() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let job = JobRequest(tenant: tenant, kind: .noop, runAt: Date().addingTimeInterval(3600))
            let id = try await world.queue.enqueue(job).id
            #expect(try await world.claim(worker).isEmpty)
            #expect(try await world.state(id) == .scheduled)
            try await world.makeDue()
            #expect(try await world.claim(worker).map(\.id) == [id])
        }
    }
}

extension QueueWorld {
    /// The payloads of `leasehold_wake` while `body` runs.
    func heard(_ body: () async throws -> Void) async throws -> [String] {
        try await pool.withNotifications(on: ["leasehold_wake"]) { events in
            var iterator = events.makeAsyncIterator()
            #expect(await iterator.next() == .listening(isReconnect: false))
            try await body()
            // Notifications come in the order of commits: what is to be heard comes before this one.
            try await sql("select pg_notify('leasehold_wake', 'the end')")
            var payloads: [String] = []
            while case .notification(let notification) = await iterator.next(), notification.payload != "the end" {
                payloads.append(notification.payload)
            }
            return payloads
        }
    }
}
