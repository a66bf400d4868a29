import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import Synchronization

/// What happens to a queue besides work.
extension RandomRun {
    /// What people and house-keeping do, and claims that roll back.
    func meddle() async throws {
        switch random.next() % 18 {
        case 0, 1: _ = try await world.queue.rescue()
        case 2: try await store.setPaused(true, pick(tenants))
        case 3, 4: for tenant in tenants { try await store.setPaused(false, tenant) }
        case 5: try await world.queue.park(pick(tenants), reason: "test")
        case 6: try await world.queue.unpark(pick(tenants))
        case 7: try await world.queue.pause(pick(queues))
        case 8, 9: for queue in queues { try await world.queue.resume(queue) }
        case 10: try await world.queue.pause(pick(kinds))
        case 11, 12: for kind in kinds { try await world.queue.resume(kind) }
        case 13...15: try await steerOne()
        case 16:
            // Every change of a limit looks at what runs.
            let limits = QueueLimits(maxRunning: Self.limits[0])
            try await store.limit(tenants[0], to: limits, weight: Double(pick([1, 2, 3])))
        default: try await claimAndRollBack()
        }
    }

    /// Cancels, discards or puts off one job, if there is one.
    private func steerOne() async throws {
        let ids = model.withLock { Array($0.enqueued) }
        if ids.isEmpty { return }
        let job = pick(ids)
        switch random.next() % 3 {
        case 0: if try await world.queue.cancel(job) != .cancelled { return }
        case 1: if try await world.queue.discard(job) != .discarded { return }
        default:
            _ = try await world.queue.reschedule(job, to: Date().addingTimeInterval(pick([-1, 0.05])))
            return
        }
        model.withLock { $0.ends[job, default: 0] += 1 }
    }

    private func claimAndRollBack() async throws {
        let worker = try await world.addWorker(queues)
        do {
            try await world.pool.withTransaction { connection in
                try await connection.query(
                    sql: "select leasehold.job_claim($1, '{default,second}', 20)",
                    worker.rawValue
                )
                throw RolledBack()
            }
        } catch is RolledBack {
            return
        }
    }

    func killASession() async throws {
        try await world.sql(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'shaky' order by random() limit 1
            """
        )
    }

    /// Enough for all that is limited, with nothing paused any more.
    ///
    /// - Returns: how many of the limited tenant, queue and kind run then.
    func fillUp() async throws -> [Int] {
        for tenant in tenants { try await store.setPaused(false, tenant) }
        for queue in queues { try await world.queue.resume(queue) }
        for kind in kinds { try await world.queue.resume(kind) }
        var requests: [JobRequest] = []
        for _ in 1...20 {
            requests.append(JobRequest(tenant: tenants[0], kind: .noop))
            requests.append(JobRequest(tenant: tenants[2], kind: .noop, queue: queues[1]))
            requests.append(JobRequest(tenant: tenants[3], kind: kinds[0]))
        }
        let answers = try await world.queue.enqueue(requests)
        model.withLock { $0.enqueued.formUnion(answers.map(\.id)) }
        let worker = try await world.addWorker(queues)
        // More than there are lanes: each looks at one at least, however slow the machine is.
        for _ in 1...60 { note(try await world.claim(worker, 1000, queues: queues)) }
        return try await lookAtLimits()
    }

    /// Jobs, letters, and lanes that may still have some.
    private static let left = """
        select (select count(*) from leasehold.job) + (select count(*) from leasehold.wake)
            + (select count(*) from leasehold.lane where state <> 'idle')
        """

    /// Everybody who is left is rescued, everything that waits is let go, and all is worked off.
    func drain() async throws {
        try await store.limit(tenants[1], to: QueueLimits())
        try await world.fireAll(at: model.withLock { $0.moment })
        try await world.sql("update leasehold.worker set heartbeat_at = heartbeat_at - interval '2 hours'")
        _ = try await world.queue.rescue()
        let worker = try await world.addWorker(queues)
        // A claim that finds nothing may have looked at one lane only, on a slow machine; there are fewer lanes.
        var idle = 0
        while idle < 60, try await world.number(Self.left) > 0 {
            for tenant in tenants + [steady] { try await world.queue.unpark(tenant) }
            try await world.makeDue()
            let jobs = try await world.claim(worker, 100, queues: queues)
            note(jobs)
            let settlements = jobs.map { Settlement(job: $0.id, run: $0.run, outcome: .completed) }
            note(settlements, try await world.queue.settle(settlements))
            idle = jobs.isEmpty ? idle + 1 : 0
        }
    }
}
