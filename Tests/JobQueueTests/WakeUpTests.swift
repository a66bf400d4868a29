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
    /// asleep, the transaction commits. The worker looks for jobs only after that commit.
    @Test func aWorkerThatFallsAsleepLooksAfterTheCommitsThatDidNotSeeIt() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heard = try await world.heard {
                let outlook = try await world.pool.withTransaction { connection in
                    _ = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                    try await connection.run(script: "set constraints all immediate")
                    try await world.queue.sleep(worker, for: .seconds(60))
                    // Outlives the transaction on purpose: it waits for its end.
                    let outlook = Task { try await world.queue.outlook() }
                    try await world.untilAnOutlookWaits()
                    return outlook
                }
                #expect(try await !outlook.value.inFlight, "nothing is left that may come without a notification")
                #expect(try await world.claim(worker).count == 1)
            }
            #expect(heard == [])
        }
    }

    /// It does not wait for ever for one who was told to look early and then goes on.
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

    /// However long they are open: what they enqueue notifies, since they look at their commit.
    @Test func openTransactionsThatHaveNotLookedForSleepersKeepNobodyAwake() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heard = try await world.heard {
                try await world.pool.withTransaction { connection in
                    _ = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                    try await world.queue.sleep(worker, for: .seconds(60))
                    #expect(try await !world.queue.outlook().inFlight)
                }
            }
            #expect(heard == ["default"])
        }
    }

    /// Such a transaction sees the workers as they were when it began.
    @Test(arguments: [PostgresTransactionOptions.Isolation.repeatableRead, .serializable])
    func aTransactionWithAnOldSnapshotNotifiesInAnyCase(isolation: PostgresTransactionOptions.Isolation) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let heard = try await world.heard {
                try await world.pool.withTransaction(PostgresTransactionOptions(isolation: isolation)) { connection in
                    _ = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                    try await world.queue.sleep(worker, for: .seconds(60))
                }
            }
            #expect(heard == ["default"])
        }
    }

    /// A change of a kind or a queue may let jobs start that have been waiting for long.
    @Test func aChangeThatIsOpenSinceBeforeTheSleepNotifiesAtItsCommit() async throws {
        try await withWorld { world in
            let worker = try await world.addWorker()
            try await world.queue.limit(.noop, to: QueueLimits(maxRunning: 1))
            try await world.queue.limit(QueueName.default, to: QueueLimits(maxRunning: 1))
            for change in ["leasehold.kind", "leasehold.queue"] {
                let heard = try await world.heard {
                    try await world.queue.wake(worker)
                    try await world.pool.withTransaction { connection in
                        try await connection.query(sql: "update \(change) set max_running = max_running + 1")
                        try await world.queue.sleep(worker, for: .seconds(60))
                    }
                }
                #expect(heard == ["default"], "\(change)")
            }
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
    /// Returns when a worker that falls asleep waits for a transaction.
    fileprivate func untilAnOutlookWaits() async throws {
        let waiting = """
            select count(*) from pg_stat_activity
            where datname = current_database() and wait_event = 'PgSleep' and query like '%worker_outlook%'
            """
        while try await number(waiting) == 0 {}
    }

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
