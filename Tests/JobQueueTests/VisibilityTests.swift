import LeaseholdCore
import Postgres
import Testing

@testable import JobQueue

/// Transactions of other services stay open as long as they like, commit in any order, or not at all.
@Suite struct VisibilityTests {
    @Test func anOpenEnqueuingTransactionHoldsUpNobody() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("slow", "other")
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...50).map { _ in JobRequest(tenant: tenants[0], kind: .noop) })
            try await world.pool.withTransaction { open in
                _ = try await world.queue.enqueue(
                    (1...50).map { _ in JobRequest(tenant: tenants[0], kind: .noop, priority: -5) }
                        + [JobRequest(tenant: tenants[1], kind: .noop)],
                    on: open
                )
                // Everything that workers and other services do goes on beside it.
                try await world.forbidWaiting { connection in
                    for tenant in tenants {
                        _ = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: connection)
                    }
                    let jobs = try await world.claim(worker, 20, on: connection)
                    #expect(jobs.count == 20)
                    try await world.complete(jobs, on: connection)
                    let rest = try await world.claim(worker, 100, on: connection)
                    #expect(rest.count == 32)
                    try await connection.query(sql: "select * from leasehold.worker_rescue()")
                    try await connection.query(sql: "select * from leasehold.reconcile()")
                }
            }
            #expect(try await world.claim(worker, 100).count == 51)
        }
    }

    /// A session that was killed takes its floor with it, and the next one begins with an older one.
    @Test func lanesBelowASessionsMarksStayInSightOnceSeen() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a", "b")
            let worker = try await world.addWorker()
            for tenant in tenants {
                _ = try await world.queue.enqueue((1...100).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            }
            try await world.pool.withConnection { connection in
                #expect(try await world.claim(worker, 10, on: connection).count == 10)
                // As after a long life: it looks from 500 s of virtual time on, and a whole look is due.
                try await connection.query(
                    sql: """
                        do $$ declare mem leasehold.claim_cursor
                            := current_setting('leasehold.cursor_' || md5('default'))::leasehold.claim_cursor;
                        begin
                            mem.floor := 500; mem.mark := 500; mem.earlier_mark := 500; mem.earliest_mark := 500;
                            mem.marked_at := '-infinity'; mem.full_look_at := '-infinity';
                            perform set_config('leasehold.cursor_' || md5('default'), mem::text, false);
                        end $$
                        """
                )
                for _ in 1...19 {
                    #expect(try await world.claim(worker, 10, on: connection).count == 10)
                }
            }
        }
    }

    /// Ids are given out at insert and seen at commit.
    @Test func jobsThatCommitLateAreNotOverlooked() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            var early: JobID?
            try await world.pool.withTransaction { open in
                early = try await world.queue.enqueue([JobRequest(tenant: tenant, kind: .noop)], on: open)[0].id
                let late = try await world.queue.enqueue((1...5).map { _ in JobRequest(tenant: tenant, kind: .noop) })
                // On the connection that will look again, so that it remembers.
                for expected in [late.map(\.id), []] {
                    #expect(try await world.claim(worker).map(\.id) == expected)
                }
            }
            #expect(try await world.claim(worker).map(\.id) == [early])
        }
    }

    @Test func aLateCommitIsServedByALaneThatHasGoneOn() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            var early: [JobID] = []
            try await world.pool.withTransaction { open in
                early = try await world.queue.enqueue(
                    (1...3).map { _ in JobRequest(tenant: tenant, kind: .noop) },
                    on: open
                ).map(\.id)
                _ = try await world.queue.enqueue((1...50).map { _ in JobRequest(tenant: tenant, kind: .noop) })
                #expect(try await world.claim(worker, 20).count == 20)
            }
            #expect(try await world.claim(worker, 5).prefix(3).map(\.id) == early)
        }
    }

    /// Somebody cancels a job and keeps the transaction open; the claim goes past it and comes back.
    @Test func aJobThatAnOpenTransactionHoldsIsPassedAndNotForgotten() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let ids = try await world.queue.enqueue((1...40).map { _ in JobRequest(tenant: tenant, kind: .noop) }).map(
                \.id
            )
            await #expect(throws: Undone.self) {
                try await world.pool.withTransaction { open in
                    for id in [ids[2], ids[7]] {
                        try await open.query(sql: "select leasehold.job_cancel($1)", id.rawValue)
                    }
                    #expect(try await world.claim(worker, 10).count == 10)
                    #expect(try await world.claim(worker, 10).count == 10)
                    throw Undone()
                }
            }
            #expect(try await world.claim(worker, 2).map(\.id) == [ids[2], ids[7]])
            #expect(try await world.claim(worker, 100).count == 18)
        }
    }

    @Test func aRolledBackEnqueueLeavesNothing() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            await #expect(throws: Undone.self) {
                try await world.pool.withTransaction { open in
                    _ = try await world.queue.enqueue(
                        (1...9).map { _ in JobRequest(tenant: tenant, kind: .noop) },
                        on: open
                    )
                    throw Undone()
                }
            }
            #expect(try await world.claim(worker).isEmpty)
            #expect(try await world.number("select count(*) from leasehold.wake") == 0)
        }
    }

    /// A claim that rolls back gives everything back to the next one, also to the same session.
    @Test func aRolledBackClaimIsTakenAgain() async throws {
        try await withWorld(size: 1) { world in
            let tenants = try await world.addTenants("one", "many")
            let worker = try await world.addWorker()
            _ = try await world.claim(worker)
            _ = try await world.queue.enqueue([JobRequest(tenant: tenants[0], kind: .noop)])
            _ = try await world.queue.enqueue((1...30).map { _ in JobRequest(tenant: tenants[1], kind: .noop) })
            await #expect(throws: Undone.self) {
                try await world.pool.withTransaction { open in
                    #expect(try await world.claim(worker, 20, on: open).count == 20)
                    throw Undone()
                }
            }
            #expect(try await world.claim(worker, 100).count == 31)
        }
    }
}

private struct Undone: Error {}

extension QueueWorld {
    func claim(_ worker: WorkerID, _ limit: Int, on connection: PostgresConnection) async throws -> [ClaimedJob] {
        try JobQueue.jobs(
            in: await connection.query(JobQueue.call(ClaimRequest(worker: worker, queues: [.default], limit: limit)))
        )
    }

    func complete(_ jobs: [ClaimedJob], on connection: PostgresConnection) async throws {
        let batch = jobs.map { Settlement(job: $0.id, run: $0.run, outcome: .completed) }
        #expect(try await connection.query(JobQueue.call(batch)).count == jobs.count)
    }

    /// Runs `body` on a connection on which no statement may wait for a lock that somebody keeps; it may for
    /// one of the server's own that is let go at once.
    func forbidWaiting(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await pool.withConnection { connection in
            try await connection.query(sql: "set lock_timeout = '10s'")
            try await body(connection)
            try await connection.query(sql: "reset lock_timeout")
        }
    }
}
