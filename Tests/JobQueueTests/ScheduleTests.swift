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

    @Test func `Jitter is the same whenever it is computed, and differs by tenant and slot`() async throws {
        try await withWorld(size: 1) { world in
            let tenants = try await world.addTenants("t1", "t2")
            var request = ScheduleRequest(name: "s", kind: .noop, rhythm: .cron("@hourly"), audience: .activeTenants)
            // Not from now on: an hour may begin between one look and the next.
            (request.jitter, request.startsAt) = (.seconds(300), Date(timeIntervalSince1970: 4_102_444_800))
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
}
