import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import SQLFiles
import Synchronization
import TestSupport
import Testing

/// Random firing over several connections, with sessions that are killed, transactions that roll back,
/// and pauses of schedules and tenants. Afterwards every slot that a model names was fired once and no
/// other, and turns agree with schedules.
@Suite(.serialized, .timeLimit(.minutes(4))) struct ScheduleRunTests {
    @Test(arguments: [1, 2, 3] as [UInt64])
    func `Every slot is fired once and none is lost`(seed: UInt64) async throws {
        try await withWorld(size: 6) { world in
            let run = try await ScheduleRun(world, seed: seed)
            try await run.everythingAtOnce()
            try await run.check()
        }
    }
}

private final class ScheduleRun: Sendable {
    /// Never paused, all missed slots: its slots are known beforehand.
    private static let steady = ["steady.interval", "steady.cron"]
    private static let disturbed = ["disturbed.interval", "disturbed.template"]

    let world: QueueWorld
    /// Sessions of this pool are killed at random.
    let shaky: PostgresPool
    let random: RandomSource
    let tenants: [TenantID]
    let start = Date()
    /// The present, which only the actors of the run move.
    let moment: Mutex<Date>

    init(_ world: QueueWorld, seed: UInt64) async throws {
        self.world = world
        random = RandomSource(seed: seed)
        moment = Mutex(start)
        shaky = world.database.pool(size: 4) { $0.applicationName = "shaky" }
        tenants = try await world.addTenants((1...6).map { "t\($0)" })
        try await add("steady.interval", .every(.seconds(420)), .tenant(tenants[0]))
        try await add("steady.cron", .cron("*/10 * * * *", timeZone: "Asia/Kolkata"), .tenant(tenants[0]), jitter: 90)
        try await add("disturbed.interval", .every(.seconds(300)), .tenant(tenants[1]))
        try await add("disturbed.template", .every(.seconds(900)), .activeTenants)
    }

    private func add(
        _ name: String,
        _ rhythm: ScheduleRequest.Rhythm,
        _ audience: ScheduleRequest.Audience,
        jitter: Int = 0
    ) async throws {
        var request = ScheduleRequest(name: name, kind: try JobKind(name), rhythm: rhythm, audience: audience)
        (request.missed, request.jitter) = (.all(most: 1000), .seconds(jitter))
        try await world.queue.addSchedule(request)
    }

    func everythingAtOnce() async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            for _ in 1...4 { group.addTask { for _ in 1...40 { try await self.fire() } } }
            group.addTask { for _ in 1...40 { try await self.meddle() } }
            group.addTask { for _ in 1...25 { try await self.killASession() } }
            try await group.waitForAll()
        }
        for name in Self.disturbed { try await world.queue.resumeSchedule(name) }
        try await world.fireAll(at: moment.withLock { $0 })
    }

    /// Fires at the present, or a little before it as a late worker does, and sometimes rolls back.
    private func fire() async throws {
        struct RolledBack: Error {}
        let (isLate, rollsBack, most) = (random.next() % 4 == 0, random.next() % 5 == 0, Int32(1 + random.next() % 6))
        let step = TimeInterval(random.next() % 400)
        let present = moment.withLock { moment in
            moment += step
            return isLate ? moment - 200 : moment
        }
        do {
            try await shaky.withTransaction { connection in
                let call = SQLFile(name: "ad_hoc_fire", text: "select jobs from leasehold.schedule_fire($1, null, $2)")
                _ = try await connection.query(call, most, present)
                if rollsBack { throw RolledBack() }
            }
        } catch is RolledBack {
            return
        } catch let error as PostgresError where error.isConnectionLost {
            // Whether it was committed is not known, and need not be.
            return
        }
    }

    private func meddle() async throws {
        let name = Self.disturbed[Int(random.next() % 2)]
        let tenant = tenants[1 + Int(random.next() % UInt64(tenants.count - 1))].rawValue
        switch random.next() % 5 {
        case 0: try await world.queue.pauseSchedule(name)
        case 1: try await world.queue.resumeSchedule(name)
        case 2: try await world.sql("update leasehold.tenant set state = 'paused' where tenant_id = $1", tenant)
        case 3: try await world.sql("update leasehold.tenant set state = 'active'")
        default: _ = try await world.sql("select leasehold.schedule_enrol()")
        }
    }

    private func killASession() async throws {
        try await world.sql(
            """
            select pg_terminate_backend(pid) from pg_stat_activity
            where datname = current_database() and application_name = 'shaky' order by random() limit 1
            """
        )
    }

    func check() async throws {
        let doubled = try await world.number(
            "select count(*) from (select from leasehold.job group by kind, tenant_id, run_at having count(*) > 1) as twice"
        )
        #expect(doubled == 0, "no slot is fired twice")
        for name in Self.steady { try await checkSteady(name) }
        // Of the disturbed ones any may be dropped, and none invented.
        let invented = try await world.number(
            """
            select count(*) from leasehold.job as j join leasehold.schedule as s on s.name = j.kind
            where leasehold.schedule_slot_until(s, j.tenant_id, j.run_at) <> j.run_at
            """
        )
        #expect(invented == 0)
        #expect(try await world.number("select count(*) from leasehold.job where kind like 'disturbed.%'") > 0)
        let lagging = try await world.sql(
            "select count(*) from leasehold.schedule_turn where fire_at <= $1",
            moment.withLock { $0 }
        )
        #expect(try lagging.only.decode(0, as: Int.self) == 0, "nothing that is due was left")
    }

    /// Its jobs against the slots from the start to the present, walked minute by minute or step by step
    /// here.
    private func checkSteady(_ name: String) async throws {
        let schedule = try await world.queue.schedule(name)
        let present = moment.withLock { $0 }
        let fired = try await world.sql("select run_at from leasehold.job where kind = $1 order by run_at", name).map {
            try $0.decode(0, as: Date.self)
        }
        var expected: [Date] = []
        if name == "steady.interval" {
            var slot = schedule.startsAt.addingTimeInterval(420)
            while slot <= present {
                expected.append(slot)
                slot.addTimeInterval(420)
            }
        } else {
            // India is ahead of UTC by a whole number of ten minutes, all year.
            var minutes = Int((schedule.startsAt.timeIntervalSince1970 / 600).rounded(.up)) * 10
            while Double(minutes) * 60 <= present.timeIntervalSince1970 {
                expected.append(Date(timeIntervalSince1970: Double(minutes) * 60))
                minutes += 10
            }
            // The last ones may still be put off by their jitter.
            #expect(fired.count >= expected.count - 1)
            expected = Array(expected.prefix(fired.count))
        }
        #expect(fired.count > 10)
        func milliseconds(_ dates: [Date]) -> [Int] { dates.map { Int(($0.timeIntervalSince1970 * 1000).rounded()) } }
        #expect(milliseconds(fired) == milliseconds(expected), "\(name)")
    }
}
