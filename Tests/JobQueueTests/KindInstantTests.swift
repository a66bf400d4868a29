import JobQueue
import LeaseholdCore
import Postgres
import Testing

/// Jobs that become ready in the very instant in which their kind becomes apart, or ceases to be: whoever
/// changes the kind cannot see them, and they cannot see the change. No sweep runs here: what is claimed in
/// the end is claimed because claims themselves put it right.
@Suite struct KindInstantTests {
    private static let kind = JobKind(rawValue: "apart")!

    /// A kind is paused while an enqueue is open, and the mark of the ordinary lane would go past the job.
    @Test(arguments: [1, 40])
    func aJobEnqueuedInTheInstantOfAPauseWaitsForTheResumeAndNoLonger(jobs: Int) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let late = try await world.enqueue(jobs, Self.kind, of: tenant) {
                try await world.queue.pause(Self.kind)
            }
            let others = try await world.queue.enqueue((1...30).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            #expect(Set(try await world.claimAll(worker)) == Set(others.map(\.id)))
            try await world.queue.resume(Self.kind)
            #expect(Set(try await world.claimAll(worker)) == Set(late))
            try await world.expectNothingToRepair()
        }
    }

    /// The same while another kind is apart already, so that the claim in between looks at kinds.
    @Test func aJobEnqueuedInTheInstantOfAPauseIsCountedByTheLimitThatFollows() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.queue.pause(try JobKind("other"))
            let late = try await world.enqueue(20, Self.kind, of: tenant) {
                try await world.queue.limit(Self.kind, to: QueueLimits(maxRunning: 3))
            }
            var ended: Set<JobID> = []
            for _ in 1...60 where ended.count < late.count {
                let jobs = try await world.claim(worker)
                #expect(jobs.count <= 3)
                try await world.complete(jobs)
                ended.formUnion(jobs.map(\.id))
            }
            #expect(ended == Set(late))
            try await world.expectNothingToRepair()
        }
    }

    /// The other way round: the job goes into the lane of its kind, which nobody serves any more.
    @Test(arguments: [1, 40])
    func aJobEnqueuedInTheInstantOfAResumeIsClaimedAtOnce(jobs: Int) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.queue.pause(Self.kind)
            let late = try await world.enqueue(jobs, Self.kind, of: tenant) {
                try await world.queue.resume(Self.kind)
            }
            #expect(Set(try await world.claimAll(worker)) == Set(late))
            try await world.expectNothingToRepair()
        }
    }

    /// The resume has read the jobs and is not committed; a claim that reads the letter then must not open
    /// a lane that the resume does not know of.
    @Test func aLaneOfAKindIsNotOpenedWhileTheKindIsBeingChanged() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.queue.pause(Self.kind)
            let late = try await world.pool.withTransaction { resuming in
                let late = try await world.enqueue(3, Self.kind, of: tenant) {
                    try await resuming.query(sql: "select leasehold.kind_resume($1)", Self.kind.rawValue)
                }
                #expect(try await world.claim(worker).isEmpty)
                return late
            }
            #expect(Set(try await world.claimAll(worker)) == Set(late))
            try await world.expectNothingToRepair()
        }
    }

    /// And a resume waits for a claim that has just opened one.
    @Test func aResumeSeesTheLaneThatAClaimHasJustOpened() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            try await world.queue.pause(Self.kind)
            let late = try await world.queue.enqueue((1...3).map { _ in JobRequest(tenant: tenant, kind: Self.kind) })
            let resuming = try await world.pool.withTransaction { claiming in
                try await claiming.query(
                    sql: "select count(*) from leasehold.job_claim($1, '{default}', 10)",
                    worker.rawValue
                )
                // Outlives the transaction on purpose: it waits for the lock that ends with it.
                let resuming = Task { try await world.queue.resume(Self.kind) }
                try await world.untilOneWaits()
                return resuming
            }
            try await resuming.value
            #expect(Set(try await world.claimAll(worker)) == Set(late.map(\.id)))
            try await world.expectNothingToRepair()
        }
    }

    /// A retry that is due at once is written while the kind is resumed.
    @Test(arguments: [true, false])
    func aRetryInTheInstantOfAChangeIsNotForgotten(pauses: Bool) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            if !pauses { try await world.queue.limit(Self.kind, to: QueueLimits(maxRunning: 5)) }
            let id = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: Self.kind)).id
            let job = try #require(try await world.claim(worker).first)
            let changing = try await world.pool.withTransaction { connection in
                try await connection.query(
                    sql: "select * from leasehold.job_settle(array[$1], array[$2], '{hand_back}')",
                    job.id.rawValue,
                    job.run.rawValue
                )
                // Outlives the transaction on purpose: it waits for the lock that ends with it.
                let changing = Task {
                    if pauses {
                        try await world.queue.pause(Self.kind)
                    } else {
                        try await world.queue.limit(Self.kind, to: QueueLimits())
                    }
                }
                try await world.untilOneWaits()
                return changing
            }
            try await changing.value
            if pauses {
                #expect(try await world.claimAll(worker).isEmpty)
                try await world.queue.resume(Self.kind)
            }
            #expect(try await world.claimAll(worker) == [id])
            try await world.expectNothingToRepair()
        }
    }

    /// What must go from the head of a lane is in other hands: it stays before the mark until it can go.
    @Test func aJobThatCannotBeMovedYetIsNotLeftBehind() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let late = try await world.enqueue(2, Self.kind, of: tenant) {
                try await world.queue.pause(Self.kind)
            }
            let others = try await world.queue.enqueue((1...30).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            try await world.pool.withTransaction { holding in
                try await holding.query(sql: "select from leasehold.job where kind = 'apart' for update")
                #expect(Set(try await world.claimAll(worker)) == Set(others.map(\.id)))
            }
            try await world.queue.resume(Self.kind)
            #expect(Set(try await world.claimAll(worker)) == Set(late))
            try await world.expectNothingToRepair()
        }
    }
}

extension QueueWorld {
    /// Enqueues in a transaction that commits only after `meanwhile`.
    fileprivate func enqueue(
        _ count: Int,
        _ kind: JobKind,
        of tenant: TenantID,
        _ meanwhile: () async throws -> Void
    ) async throws -> [JobID] {
        try await pool.withTransaction { connection in
            let requests = (1...count).map { _ in JobRequest(tenant: tenant, kind: kind) }
            let answers = try await queue.enqueue(requests, on: connection)
            try await meanwhile()
            return answers.map(\.id)
        }
    }

    /// Claims until claims come back empty again and again: letters that a claim writes are read by the next.
    fileprivate func claimAll(_ worker: WorkerID) async throws -> [JobID] {
        var (ids, empty): ([JobID], Int) = ([], 0)
        while empty < 4 {
            let jobs = try await claim(worker, 10)
            ids += jobs.map(\.id)
            empty = jobs.isEmpty ? empty + 1 : 0
        }
        return ids
    }

    fileprivate func expectNothingToRepair() async throws {
        #expect(try await number("select sum(found_count)::bigint from leasehold.reconcile('0')") == 0)
    }
}
