import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import Synchronization
import Testing

/// Random work over several connections, with workers that die, sessions that are killed, transactions
/// that roll back, and everything that people do to a queue meanwhile. Afterwards nothing is lost, nothing
/// was settled twice, no limit was broken, every slot of a schedule was enqueued once, and lanes agree
/// with jobs.
@Suite(.serialized, .timeLimit(.minutes(4))) struct RandomRunTests {
    /// `LEASEHOLD_PROPERTY_SEED=7 scripts/test RandomRunTests`
    private static let first =
        ProcessInfo.processInfo.environment["LEASEHOLD_PROPERTY_SEED"].flatMap { UInt64($0) } ?? 1

    @Test(arguments: first..<first + 3)
    func nothingIsLostAndNothingIsSettledTwice(seed: UInt64) async throws {
        try await withWorld(size: 6) { world in
            let run = try await RandomRun(world, seed: seed)
            try await run.everythingAtOnce()
            try await run.checkLanes()
            #expect(try await run.fillUp() == RandomRun.limits, "every free place is used")
            try await run.drain()
            try await run.check()
        }
    }
}

extension RandomRun {
    /// Nothing moves any more, and much still waits: what waits is served by a lane or told of in a letter,
    /// and a lane that is closed has a reason to be.
    fileprivate func checkLanes() async throws {
        // Sessions that were killed let go of what they had in hand.
        while try await world.number(Self.busy) > 0 {}
        #expect(try await world.number("select count(*) from leasehold.job") > 0)
        let misnamed = try await texts(Self.misnamed)
        #expect(misnamed == [])
        let unserved = try await texts("\(Self.unserved) and (\(Self.isServed))")
        #expect(unserved == [])
        for (finding, count) in try await findings() where !Self.repairedLater.contains(finding) {
            #expect(count == 0, "\(finding)")
        }
        #expect(try await findings().allSatisfy { $0.value == 0 })
        let unmoved = try await texts("\(Self.unserved) and not (\(Self.isServed))")
        #expect(unmoved == [])
        let closed = try await texts(Self.closedForNothing)
        #expect(closed == [])
        let stuck = try await texts(Self.waitingForNobody)
        #expect(stuck == [])
    }

    /// The table itself keeps that just one of three columns says what a job waits for, not that state agrees.
    private static let misnamed = """
        select job_id, state from leasehold.job
        where state <> case when claimed_by is not null then 'running' when due_at is not null then 'scheduled'
            when park_reason is not null then 'parked' else 'ready' end
        """

    /// What was enqueued at the very moment at which its kind got its own lanes, or lost them; and requests
    /// to cancel a run that ended, to be repeated, at the very moment at which they came.
    private static let repairedLater = [
        "jobs in the lane of another kind", "cancel requests of jobs that do not run",
    ]

    private static let busy = """
        select count(*) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and xact_start is not null
            and backend_type = 'client backend'
        """

    private static let unserved = """
        select job_id, j.tenant_id, j.queue, kind, j.lane_kind, j.priority, j.place, j.ready_at, to_json(l) as lane
        from leasehold.job as j
            left join leasehold.lane as l on (l.tenant_id, l.queue, l.lane_kind) = (j.tenant_id, j.queue, j.lane_kind)
        where j.state = 'ready'
            and ((l.state <> 'idle'
                and ((l.low_priority, l.low_place) <= (j.priority, j.place)
                    or (l.urgent_priority, l.urgent_place) <= (j.priority, j.place))) is not true)
            and not exists (
                select from leasehold.wake as w
                where (w.tenant_id, w.queue, w.lane_kind) = (j.tenant_id, j.queue, j.lane_kind)
                    and w.purpose = 'ready' and w.place <= j.place and w.priority <= j.priority)
        """

    /// Not a lane that claims look at no more.
    private static let isServed = """
        j.lane_kind = '' or exists (select from leasehold.kind as k where k.kind = j.lane_kind and k.apart)
        """

    /// Whoever lifts the reason writes a letter, or the lane is looked at by itself.
    private static let closedForNothing = """
        select l.tenant_id, l.queue, l.lane_kind, l.state from leasehold.lane as l
            join leasehold.tenant as t using (tenant_id)
        where l.state in ('full', 'throttled', 'paused') and l.look_at is null
            and not (l.state = 'paused' and t.state = 'paused')
            and not exists (
                select from leasehold.wake as w
                where (w.tenant_id, w.queue, w.lane_kind) = (l.tenant_id, l.queue, l.lane_kind) and w.purpose = 'look')
        """

    /// Jobs of a sequence key of which none has the turn, without a letter that says so.
    private static let waitingForNobody = """
        select tenant_id, sequence_key, array_agg(job_id || ' ' || kind || ' ' || queue order by job_id) as jobs
        from leasehold.job as j where park_reason = 'sequence'
            and not exists (
                select from leasehold.wake as w
                where (w.tenant_id, w.sequence_key) = (j.tenant_id, j.sequence_key) and w.purpose = 'sequence')
        group by tenant_id, sequence_key
        having not exists (
            select from leasehold.job as l
            where (l.tenant_id, l.sequence_key) = (j.tenant_id, j.sequence_key) and l.sequence_live)
        """

    private func texts(_ sql: String) async throws -> [String] {
        try await world.sql("select row_to_json(r)::text from (\(sql)) as r").map { try $0.decode(0) }
    }

    private func findings() async throws -> [String: Int] {
        let rows = try await world.sql("select finding, found_count from leasehold.reconcile('0')")
        return Dictionary(uniqueKeysWithValues: try rows.decode((String, Int64).self).map { ($0, Int($1)) })
    }

    fileprivate func check() async throws {
        let found = model.withLock { $0 }
        #expect(found.surprises == [])
        #expect(found.handedOutTwice == [])
        #expect(found.ends.filter { $0.value > 1 } == [:])
        #expect(!found.enqueued.isEmpty)
        let left = try await texts("select job_id, state, tenant_id, kind, park_reason from leasehold.job")
        #expect(left == [])
        let ended = try await ids("kind <> 'tick'")
        #expect(ended.count == found.enqueued.count, "each job ended once")
        #expect(Set(ended) == found.enqueued)
        try await checkSlots()
        #expect(try await findings().allSatisfy { $0.value == 0 })
        #expect(try await world.number("select count(*) from leasehold.wake") == 0)
        #expect(try await world.number("select count(*) from leasehold.lane where state <> 'idle'") == 0)
    }

    /// The slots up to the last moment that a worker looked.
    private func checkSlots() async throws {
        let slots = Int(model.withLock { $0.moment }.timeIntervalSince(start) / Self.slotSeconds)
        let ended = try await ids("kind = 'tick'")
        #expect(slots > 20)
        #expect(Set(ended).count == slots)
        #expect(ended.count == slots, "each slot's job ended once")
    }

    private func ids(_ condition: String) async throws -> [JobID] {
        try await world.sql("select job_id from leasehold.job_history where \(condition)").map {
            JobID(rawValue: try $0.decode(0))
        }
    }
}
