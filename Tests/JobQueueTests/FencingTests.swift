import JobQueue
import LeaseholdCore
import Postgres
import Testing

/// What a worker that was thought dead can still do: nothing.
@Suite struct FencingTests {
    @Test func aZombieCannotEndTheNextRun() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let (zombie, other) = (try await world.addWorker(), try await world.addWorker())
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let stale = try #require(try await world.claim(zombie).first)
            try await world.lapse(zombie)
            #expect(try await world.queue.rescue().map(\.job) == [stale.id])
            let current = try #require(try await world.claim(other).first)
            #expect(current.id == stale.id)
            for outcome: JobOutcome in [
                .completed, .retry(reason: "x"), .snooze(.zero, reason: "x"), .park(reason: "x"), .discard(reason: "x"),
                .cancelled(reason: "x"),
            ] {
                #expect(try await world.settle(stale, outcome) == .leaseLost)
            }
            #expect(try await world.queue.settle([.handBack(job: stale.id, run: stale.run)]) == [.leaseLost])
            #expect(try await world.queue.saveProgress(job: stale.id, run: stale.run, json: "{}") == false)
            #expect(try await world.state(stale.id) == .running)
            try await world.complete([current])
            #expect(try await world.settle(current, .completed) == .leaseLost)
            #expect(try await world.number("select count(*) from leasehold.job_history") == 1)
        }
    }

    @Test func aLapsedWorkerIsToldSoAndClaimsNothingMore() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            #expect(try await world.queue.heartbeat(worker).alive)
            try await world.lapse(worker)
            _ = try await world.queue.rescue()
            #expect(try await world.queue.heartbeat(worker).alive == false)
            let error = await #expect(throws: JobQueueError.self) { try await world.claim(worker) }
            #expect(error?.code == .workerLapsed)
            #expect(try await world.claim(try await world.addWorker()).count == 1)
        }
    }

    /// A rescue goes by the worker's sign of life, however long the job runs.
    @Test func aLongJobOfALivingWorkerIsNotRescued() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let job = try #require(try await world.claim(worker).first)
            try await world.sql("update leasehold.job set claimed_at = claimed_at - interval '91 days'")
            try await world.sql("update leasehold.lease set claimed_at = claimed_at - interval '91 days'")
            #expect(try await world.queue.heartbeat(worker).alive)
            #expect(try await world.queue.rescue().isEmpty)
            #expect(try await world.settle(job, .completed) == .settled(.completed))
        }
    }

    @Test func aJobThatKillsItsWorkerThreeTimesIsDiscarded() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let id = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop)).id
            var fates: [JobFate] = []
            for _ in 1...3 {
                let worker = try await world.addWorker()
                try await world.makeDue()
                #expect(try await world.claim(worker).map(\.id) == [id])
                try await world.lapse(worker)
                fates += try await world.queue.rescue().map(\.fate)
            }
            #expect(fates == [.ready, .scheduled, .discarded])
            let record = try await world.queue.show(id)
            #expect(record.kills == 3)
            #expect(record.summary.attempt == 3)
            #expect(record.lastError?.contains("stopped giving signs of life") == true)
        }
    }

    /// The jobs of a claim whose answer never arrived are found by the lease.
    @Test func aClaimWhoseAnswerGotLostIsRescued() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...20).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            try await world.sql("select leasehold.job_claim($1, '{default}', 10)", worker.rawValue)
            #expect(try await world.queue.running(by: worker).count == 10)
            #expect(try await world.queue.heartbeat(worker).alive)
            try await world.lapse(worker)
            #expect(try await world.queue.rescue().count == 10)
        }
    }

    /// Its server process went on when nobody waited for it any more.
    @Test func aClaimThatCommitsAfterItsWorkerHasSignedOffIsHandedBack() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let id = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop)).id
            try await world.pool.withTransaction { connection in
                let claim = "select leasehold.job_claim($1, '{default}', 10)"
                let claimed = try await connection.query(sql: claim, worker.rawValue)
                let handedBack = try await world.queue.unregister(worker)
                #expect(claimed.count == 1)
                #expect(handedBack == 0, "it cannot be seen yet")
            }
            #expect(try await world.state(id) == .running)
            let rescued = try await world.queue.rescue()
            #expect(rescued.map(\.job) == [id])
            #expect(rescued.map(\.worker) == [worker])
            let record = try await world.queue.show(id)
            #expect(record.summary.state == .ready)
            #expect(record.summary.attempt == 0, "nobody ran it")
            #expect(record.kills == 0)
            #expect(try await world.queue.rescue().isEmpty)
        }
    }

    @Test func aHeartbeatForgetsLeasesWhoseJobsHaveEnded() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue((1...40).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            let held = try await world.claim(worker, 10)
            for _ in 1...3 { try await world.complete(try await world.claim(worker, 10)) }
            _ = try await world.queue.heartbeat(worker)
            #expect(try await Set(world.queue.running(by: worker).map(\.job)) == Set(held.map(\.id)))
            try await world.complete(held)
            _ = try await world.queue.heartbeat(worker)
            #expect(try await world.number("select count(*) from leasehold.lease") == 1)
            #expect(try await world.queue.running(by: worker).isEmpty)
        }
    }
}

extension QueueWorld {
    /// As if the worker had given no sign of life for an hour longer than it may.
    func lapse(_ worker: WorkerID) async throws {
        try await sql(
            "update leasehold.worker set heartbeat_at = heartbeat_at - interval '2 hours' where worker_id = $1",
            worker.rawValue
        )
    }
}
