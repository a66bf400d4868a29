import JobQueue
import LeaseholdCore
import MetricsTestKit
import Postgres
import TestSupport
import Testing

@testable import WorkerRuntime

@Suite(.timeLimit(.minutes(4))) struct WorkerScheduleTests {
    @Test func `A worker fires what is due and runs the job`() async throws {
        var make = WorkerMake()
        let clock = make.freeze()
        try make.on("k") { _ in .completed }
        try await withWorker(make) { bench in
            await bench.event("worker_asleep")
            let request = ScheduleRequest(
                name: "s",
                kind: try JobKind("k"),
                rhythm: .every(.seconds(3600)),
                audience: .tenant(WorkerBench.tenant)
            )
            try await bench.queue.addSchedule(request)
            try await bench.pool.withConnection { connection in
                _ = try await connection.query(
                    sql: "update leasehold.schedule_turn set slot_at = now(), fire_at = now()"
                )
            }
            // Heartbeat, watch, claims, rescue and schedules, whose first look is planned now.
            await clock.sleepers(5)
            clock.advance(by: .seconds(1))
            guard case .schedulesFired(let jobs, let turns) = try await bench.event("schedules_fired", advancing: clock)
            else {
                Issue.record("expected the event to carry the numbers")
                return
            }
            #expect(jobs == 1)
            #expect(turns == 1)
            let id = try #require(try await bench.queue.turns(of: "s").first?.lastJob)
            // An outcome that no claim takes along waits a moment for others.
            _ = try await bench.event("jobs_settled", advancing: clock)
            #expect(try await bench.queue.show(id).summary.state == .completed)
            #expect(bench.metrics.counterTotal(label: "schedule_job") == 1)
        }
    }

    @Test func `The next turn that is known is fired at its time, not at the next interval`() async throws {
        var make = WorkerMake()
        make.settings.scheduleInterval = .seconds(600)
        let clock = make.freeze()
        try make.on("k") { _ in .completed }
        try await withDatabase { database in
            try await withWorker(make, on: database, isRunning: false) { bench in
                let request = ScheduleRequest(
                    name: "s",
                    kind: try JobKind("k"),
                    rhythm: .every(.seconds(3600)),
                    audience: .tenant(WorkerBench.tenant)
                )
                try await bench.queue.addSchedule(request)
                try await setNext(bench, in: 10)
            }
            try await withWorker(make, on: database) { bench in
                await bench.event("worker_asleep")
                clock.advance(by: .seconds(1))
                _ = await bench.events.first { event in
                    if case .maintained(let task, _) = event { task == "schedule" } else { false }
                }
                try await setNext(bench, in: 0)
                // Heartbeat, watch, claims, rescue and schedules.
                await clock.sleepers(5)
                clock.advance(by: .seconds(10))
                await bench.event("schedules_fired")
            }
        }
    }

    private func setNext(_ bench: WorkerBench, in seconds: Int) async throws {
        try await bench.pool.withConnection { connection in
            _ = try await connection.query(
                sql: """
                    update leasehold.schedule_turn set (slot_at, fire_at) =
                        (select at, at from (select now() + $1::bigint * interval '1 s') as next (at))
                    """,
                seconds
            )
        }
    }

    private func fired(turns: Int, more: Bool = false, next: Duration? = nil) -> FiredSchedules {
        FiredSchedules(jobs: turns, turns: turns, hasMore: more, nextIn: next)
    }

    @Test func `Looks back a minute only while it finds something, and to the beginning every twenty looks`() {
        var looks = ScheduleLooks()
        #expect(looks.next() == nil)
        var short = 0
        for _ in 1...40 {
            _ = looks.fired(fired(turns: 3))
            if looks.next() != nil { short += 1 }
        }
        #expect(short == 38)
        _ = looks.fired(fired(turns: 0))
        #expect(looks.next() == nil, "what a look found nothing in costs nothing to look at whole")
    }

    @Test func `Comes back at once for more, at the next turn's time, and not in a hurry`() {
        var looks = ScheduleLooks()
        #expect(looks.fired(fired(turns: 500, more: true, next: .seconds(9))) == .zero)
        #expect(looks.next() == nil, "more than fits was due")
        #expect(looks.fired(fired(turns: 1, next: .seconds(9))) == .seconds(9))
        #expect(looks.fired(fired(turns: 1, next: .milliseconds(2))) == ScheduleLooks.shortestPause)
        #expect(looks.fired(fired(turns: 0)) == nil)
    }
}
