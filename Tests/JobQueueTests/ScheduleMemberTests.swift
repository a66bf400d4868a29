import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

/// Whose turn it is: tenants that come and go, pauses, and turns that cannot be fired.
@Suite(.timeLimit(.minutes(4))) struct ScheduleMemberTests {
    @Test func `Tenants join when they are added and rest while they are paused`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            try await world.queue.addSchedule(
                .init(name: "s", kind: .noop, rhythm: .every(.seconds(600)), audience: .activeTenants)
            )
            _ = try await world.addTenants("t2")
            #expect(Set(try await world.queue.turns(of: "s").map(\.tenant.rawValue)) == ["t1", "t2"])
            try await world.sql("update leasehold.tenant set state = 'paused' where tenant_id = 't2'")
            for round in 1...3 { try await world.fire(in: .seconds(600 * round)) }
            #expect(try await world.number("select count(*) from leasehold.job where tenant_id = 't2'") == 0)
            #expect(try await world.queue.schedule("s").resting == 1)
            try await world.sql("update leasehold.tenant set state = 'active'")
            #expect(try await world.queue.schedule("s").resting == 0)
            let turn = try #require(try await world.queue.turns(of: "s", tenant: TenantID("t2")).first)
            let slot = try #require(turn.slotAt)
            #expect(slot > Date(), "the slots of the pause are dropped")
        }
    }

    @Test func `Only connected tenants have turns, until they park`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1", "t2")
            try await world.queue.addSchedule(.init(name: "s", kind: .noop, rhythm: .every(.seconds(600))))
            #expect(try await world.queue.turns(of: "s").isEmpty)
            try await world.sql("insert into leasehold.provider (provider) values ('p')")
            try await world.sql("insert into leasehold.credential (tenant_id, provider) values ('t1', 'p')")
            #expect(try await world.queue.turns(of: "s").isEmpty, "a credential without a token connects nobody")
            try await world.connect("t1")
            #expect(try await world.queue.turns(of: "s").map(\.tenant) == [.t1])
            try await world.queue.park(.t1, reason: "needs authorization")
            #expect(try await world.fire(in: .seconds(600)) == 0)
            #expect(try await world.queue.schedule("s").resting == 1)
            try await world.queue.unpark(.t1)
            #expect(try await world.queue.schedule("s").resting == 0)
        }
    }

    @Test func `A turn that goes to rest just when its tenant returns does not stay there`() async throws {
        try await withWorld(size: 3) { world in
            _ = try await world.addTenants("t1")
            try await world.queue.addSchedule(
                .init(name: "s", kind: .noop, rhythm: .every(.seconds(600)), audience: .tenant(.t1))
            )
            try await world.sql("update leasehold.tenant set state = 'paused'")
            try await withThrowingTaskGroup(of: Void.self) { group in
                // Finds the tenant paused and commits only when its return waits for that.
                try await world.pool.withTransaction { firing in
                    _ = try await firing.query(
                        sql: "select leasehold.schedule_fire(moment => now() + interval '600 s')"
                    )
                    group.addTask { _ = try await world.sql("update leasehold.tenant set state = 'active'") }
                    try await world.untilOneWaits()
                }
                try await group.waitForAll()
            }
            #expect(try await world.queue.schedule("s").resting == 0)
        }
    }

    @Test func `A pause drops its slots and nothing is fired in it`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            try await world.queue.addSchedule(
                .init(name: "s", kind: .noop, rhythm: .every(.seconds(60)), audience: .tenant(.t1))
            )
            try await world.queue.pauseSchedule("s")
            #expect(try await world.fire(in: .seconds(600)) == 0)
            // A second pause in which nobody came to look.
            try await world.queue.resumeSchedule("s")
            try await world.queue.pauseSchedule("s")
            try await world.sql(
                "update leasehold.schedule_turn set slot_at = slot_at - interval '1 day', fire_at = fire_at - interval '1 day'"
            )
            try await world.queue.resumeSchedule("s")
            #expect(try await world.fire(in: .zero) == 0)
            let slot = try #require(try await world.queue.turns(of: "s").first?.slotAt)
            #expect(slot > Date())
        }
    }

    @Test func `A turn that cannot be fired says why and keeps no other from it`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants((1...5).map { "t\($0)" })
            let rhythm = ScheduleRequest.Rhythm.cron("* * * * *")
            try await world.queue.addSchedule(
                .init(name: "good", kind: .noop, rhythm: rhythm, audience: .activeTenants)
            )
            try await world.queue.addSchedule(.init(name: "bad", kind: .noop, rhythm: rhythm, audience: .activeTenants))
            // As after an update of the server's time zones that dropped this one.
            try await world.sql("update leasehold.schedule set time_zone = 'Old/Atlantis' where name = 'bad'")
            #expect(try await world.fire(in: .seconds(60)) == 5)
            let turns = try await world.queue.turns(of: "bad")
            #expect(turns.allSatisfy { $0.lastOutcome == "failed" && $0.lastError?.contains("Old/Atlantis") == true })
            #expect(try await world.queue.schedule("bad").failed == 5)
            try await world.sql("update leasehold.schedule set time_zone = 'UTC' where name = 'bad'")
            #expect(try await world.fire(in: .seconds(121)) == 5, "the good ones overlap")
            #expect(try await world.queue.schedule("bad").failed == 0)
        }
    }

    @Test func `The worker's role may fire, and has a tenant's connection told in one bit`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            try await world.queue.addSchedule(
                .init(name: "s", kind: .noop, rhythm: .every(.seconds(60)), audience: .connectedTenant(.t1))
            )
            try await world.connect("t1")
            try await world.pool.withTransaction { connection in
                _ = try await connection.query(sql: "set local role leasehold_worker")
                let fired = try await connection.query(
                    sql: "select jobs from leasehold.schedule_fire(moment => now() + interval '60 s')"
                )
                #expect(try fired.only.decode(0, as: Int32.self) == 1)
            }
        }
    }

    @Test func `Looking when nothing is due reads an index and nothing else, with any statistics`() async throws {
        try await withWorld(size: 1) { world in
            for analyze in [false, true] {
                if analyze {
                    _ = try await world.addTenants((1...3000).map { "t\($0)" })
                    try await world.queue.addSchedule(
                        .init(name: "s", kind: .noop, rhythm: .every(.seconds(900)), audience: .activeTenants)
                    )
                    try await world.sql("analyze leasehold.schedule_turn")
                }
                // As the function has it.
                try await world.sql("set enable_seqscan = off")
                try await world.sql("set enable_bitmapscan = off")
                let plan = try await world.sql(
                    """
                    explain select tenant_id, schedule_id, slot_at from leasehold.schedule_turn
                    where fire_at > '-infinity' and fire_at <= now() order by fire_at limit 500 for update skip locked
                    """
                ).map { try $0.decode(0, as: String.self) }.joined(separator: "\n")
                #expect(plan.contains("Index Scan using turn_due"), "\(plan)")
            }
        }
    }
}
