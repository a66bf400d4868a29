import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

/// Schedules, with a present that the tests set: `leasehold.schedule_fire` takes the moment.
@Suite(.timeLimit(.minutes(4))) struct ScheduleTests {
    @Test func `A slot is fired once, however many fire it at once`() async throws {
        try await withWorld(size: 8) { world in
            let tenants = try await world.addTenants((1...40).map { "t\($0)" })
            try await world.queue.addSchedule(
                .init(name: "all", kind: .noop, rhythm: .every(.seconds(600)), audience: .activeTenants)
            )
            let fired = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...8 { group.addTask { try await world.fire(in: .seconds(600), most: 7) } }
                return try await group.reduce(0, +)
            }
            let left = try await world.fire(in: .seconds(600))
            #expect(fired + left == tenants.count)
            #expect(try await world.number("select count(*) from leasehold.job") == tenants.count)
            #expect(try await world.number("select count(distinct tenant_id) from leasehold.job") == tenants.count)
        }
    }

    @Test(arguments: [
        (ScheduleRequest.MissedSlots.skip, [Int]()), (ScheduleRequest.MissedSlots.once, [6]),
        (ScheduleRequest.MissedSlots.all(most: 3), [4, 5, 6]),
        (ScheduleRequest.MissedSlots.all(most: 100), [1, 2, 3, 4, 5, 6]),
    ])
    func `Missed slots become what the policy says`(missed: ScheduleRequest.MissedSlots, slots: [Int]) async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            let start = Date(timeIntervalSince1970: 4_000_000_000)
            var request = ScheduleRequest(
                name: "s",
                kind: .noop,
                rhythm: .every(.seconds(3600)),
                audience: .tenant(.t1)
            )
            request.startsAt = start.addingTimeInterval(3600)
            request.missed = missed
            try await world.queue.addSchedule(request)
            // Half an hour after the sixth slot, long after the grace.
            try await world.fire(at: start.addingTimeInterval(6.5 * 3600))
            let rows = try await world.sql("select run_at from leasehold.job order by job_id")
            let fired = try rows.map {
                Int((try $0.decode(0, as: Date.self).timeIntervalSince(start) / 3600).rounded())
            }
            #expect(fired == slots)
            let turn = try #require(try await world.queue.turns(of: "s").first)
            #expect(turn.slotAt == start.addingTimeInterval(7 * 3600))
            #expect(turn.lastOutcome == (slots.isEmpty ? "missed" : "enqueued"))
        }
    }

    @Test func `A slot within the grace is not missed`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            let start = Date(timeIntervalSince1970: 4_000_000_000)
            var request = ScheduleRequest(
                name: "s",
                kind: .noop,
                rhythm: .every(.seconds(3600)),
                audience: .tenant(.t1)
            )
            (request.startsAt, request.missed, request.grace) = (start, .skip, .seconds(60))
            try await world.queue.addSchedule(request)
            #expect(try await world.fire(at: start.addingTimeInterval(59)) == 1)
            #expect(try await world.fire(at: start.addingTimeInterval(3600 + 61)) == 0)
        }
    }

    @Test func `A slot whose tenant still has a live job of the schedule enqueues nothing`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            try await world.queue.addSchedule(
                .init(name: "s", kind: .noop, rhythm: .every(.seconds(60)), audience: .tenant(.t1))
            )
            #expect(try await world.fire(in: .seconds(60)) == 1)
            #expect(try await world.fire(in: .seconds(120)) == 0)
            #expect(try await world.queue.turns(of: "s").first?.lastOutcome == "overlapped")
            let worker = try await world.addWorker()
            try await world.makeDue()
            try await world.complete(try await world.claim(worker))
            #expect(try await world.fire(in: .seconds(180)) == 1)
            #expect(try await world.queue.turns(of: "s").first?.lastOutcome == "enqueued")
        }
    }

    @Test func `A template is spread over its interval and keeps each tenant's place`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants((1...1500).map { "tenant-\($0)" })
            try await world.queue.addSchedule(
                .init(name: "sync", kind: .noop, rhythm: .every(.seconds(900)), audience: .activeTenants)
            )
            let minutes = try await world.sql(
                """
                select count(*) from leasehold.schedule_turn as t, leasehold.schedule as s
                group by floor(extract(epoch from t.slot_at - s.starts_at) / 60)::integer % 15
                """
            ).map { try $0.decode(0, as: Int.self) }
            #expect(minutes.count == 15, "every minute of the interval")
            #expect(minutes.allSatisfy { (60...140).contains($0) }, "\(minutes)")
            let before = try await world.queue.turns(of: "sync", limit: 1500)
            let start = try await world.queue.schedule("sync").startsAt
            try await world.fireAll(at: start.addingTimeInterval(900))
            let after = Dictionary(
                uniqueKeysWithValues: try await world.queue.turns(of: "sync", limit: 1500).map { ($0.tenant, $0) }
            )
            var moved = 0
            for turn in before {
                let next = try #require(after[turn.tenant]?.slotAt).timeIntervalSince(try #require(turn.slotAt))
                // A tenant whose place had passed when the schedule was added begins with the next interval.
                #expect([0, 900].contains(next.rounded()))
                if next > 0 { moved += 1 }
            }
            #expect(moved > 1300)
        }
    }

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
                    while try await world.number(waiting) == 0 {}
                }
                try await group.waitForAll()
            }
            #expect(try await world.queue.schedule("s").resting == 0)
        }
    }

    private let waiting = """
        select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'
        """

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

    @Test func `Jitter is the same whenever it is computed, and differs by tenant and slot`() async throws {
        try await withWorld(size: 1) { world in
            let tenants = try await world.addTenants("t1", "t2")
            var request = ScheduleRequest(name: "s", kind: .noop, rhythm: .cron("@hourly"), audience: .activeTenants)
            request.jitter = .seconds(300)
            try await world.queue.addSchedule(request)
            let first = try await world.queue.preview("s", for: tenants[0], count: 20)
            #expect(try await world.queue.preview("s", for: tenants[0], count: 20) == first)
            let delays = first.map { $0.fireAt.timeIntervalSince($0.at) }
            #expect(delays.allSatisfy { (0...300).contains($0) })
            #expect(Set(delays).count > 15)
            let second = try await world.queue.preview("s", for: tenants[1], count: 20)
            #expect(second.map(\.at) == first.map(\.at))
            #expect(second.map(\.fireAt) != first.map(\.fireAt))
            let turn = try #require(try await world.queue.turns(of: "s", tenant: tenants[0]).first)
            #expect(turn.fireAt == first[0].fireAt)
        }
    }

    @Test func `The same declaration again changes nothing, another rhythm moves the slots`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            var request = ScheduleRequest(name: "s", kind: .noop, rhythm: .every(.seconds(600)), audience: .tenant(.t1))
            request.replaces = true
            try await world.queue.addSchedule(request)
            #expect(try await world.fire(in: .seconds(600)) == 1)
            let turn = try #require(try await world.queue.turns(of: "s").first)
            try await world.queue.addSchedule(request)
            #expect(try await world.queue.turns(of: "s").first?.slotAt == turn.slotAt)
            request.rhythm = .cron("* * * * *")
            try await world.queue.addSchedule(request)
            let moved = try #require(try await world.queue.turns(of: "s").first?.slotAt)
            let (last, next) = (try #require(turn.lastSlotAt), try #require(turn.slotAt))
            #expect(moved > last, "no slot is fired twice, whatever is changed")
            #expect(moved < next)
            request.replaces = false
            let error = await #expect(throws: JobQueueError.self) { try await world.queue.addSchedule(request) }
            #expect(error?.message == "expected a new name, got \"s\", which is a schedule already")
        }
    }

    @Test func `The slot's time can be an argument, and the other settings reach the job`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            var request = ScheduleRequest(name: "s", kind: .noop, rhythm: .cron("@daily"), audience: .tenant(.t1))
            (request.args, request.slotArgument) = (#"{"a": 1}"#, "day")
            (request.priority, request.maxAttempts, request.timeout) = (-5, 3, .seconds(90))
            (request.startsAt, request.queue) = (Date(timeIntervalSince1970: 4_102_444_800), QueueName(rawValue: "q")!)
            try await world.queue.addSchedule(request)
            try await world.fire(at: Date(timeIntervalSince1970: 4_102_444_801))
            let id = try #require(try await world.queue.turns(of: "s").first?.lastJob)
            let job = try await world.queue.show(id)
            #expect(job.args == #"{"a": 1, "day": "2100-01-01T00:00:00.000Z"}"#)
            #expect(job.priority == -5)
            #expect(job.summary.maxAttempts == 3)
            #expect(job.timeout == .seconds(90))
            #expect(job.summary.queue.rawValue == "q")
            #expect(job.uniqueKey == "schedule s")
        }
    }

    @Test func `What is wrong is refused with what was expected`() async throws {
        try await withWorld(size: 1) { world in
            _ = try await world.addTenants("t1")
            func refusal(_ change: (inout ScheduleRequest) -> Void) async -> String {
                var request = ScheduleRequest(
                    name: "s",
                    kind: .noop,
                    rhythm: .every(.seconds(60)),
                    audience: .tenant(.t1)
                )
                change(&request)
                do {
                    try await world.queue.addSchedule(request)
                    return "none"
                } catch {
                    return (error as? JobQueueError)?.message ?? "\(error)"
                }
            }
            #expect(await refusal { $0.name = "with space" }.hasPrefix("expected a name of 1 to 128"))
            #expect(
                await refusal { $0.rhythm = .every(.milliseconds(1500)) }.hasPrefix(
                    "expected every to be whole seconds"
                )
            )
            #expect(
                await refusal { $0.jitter = .seconds(60) }.hasPrefix("expected jitter from 0 to 1 day, less than every")
            )
            #expect(
                await refusal { $0.rhythm = .cron("0 0 31 2 *") }.hasPrefix(
                    "expected a cron expression that some day fits"
                )
            )
            #expect(
                await refusal { $0.rhythm = .cron("@daily", timeZone: "Berlin") }
                    == "expected an IANA time zone, got \"Berlin\""
            )
            #expect(
                await refusal { $0.rhythm = .cron("@daily", timeZone: "UTC+2") }
                    == "expected an IANA time zone, got \"UTC+2\""
            )
            #expect(
                await refusal { ($0.missed, $0.overlaps) = (.all(most: 5), false) }.hasPrefix(
                    "expected overlap to be allowed"
                )
            )
            #expect(await refusal { $0.args = "[]" }.hasPrefix("expected the args of schedule s to be a JSON object"))
            #expect(
                await refusal { $0.audience = .tenant(TenantID(rawValue: "t9")!) }
                    == "expected a known tenant, got \"t9\""
            )
            let unknown = await #expect(throws: JobQueueError.self) { try await world.queue.pauseSchedule("nope") }
            #expect(unknown?.code == .unknownSchedule)
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

extension QueueWorld {
    /// Fires what is due at that time.
    ///
    /// - Returns: how many jobs that enqueued.
    @discardableResult
    func fire(at moment: Date, most: Int32 = 500) async throws -> Int {
        Int(
            try await sql("select jobs from leasehold.schedule_fire($1, null, $2)", most, moment).only
                .decode(0, as: Int32.self)
        )
    }

    @discardableResult
    func fire(in delay: Duration, most: Int32 = 500) async throws -> Int {
        try await fire(at: Date().addingTimeInterval(delay.seconds + 1), most: most)
    }

    func fireAll(at moment: Date) async throws {
        while try await fire(at: moment) > 0 {}
    }

    /// Gives a tenant an active credential.
    func connect(_ tenant: String) async throws {
        try await sql("insert into leasehold.provider (provider) values ('p') on conflict do nothing")
        try await sql(
            """
            insert into leasehold.credential (tenant_id, provider, state, generation, refresh_token)
            values ($1, 'p', 'active', 1, 'x')
            on conflict (tenant_id) do update set state = 'active', generation = 1, refresh_token = 'x'
            """,
            tenant
        )
    }
}

extension TenantID {
    static let t1 = TenantID(rawValue: "t1")!
}
