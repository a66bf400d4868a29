import JobQueue
import LeaseholdCore
import Testing

/// Each way through the drawing in `sql/README.md`.
@Suite struct LifeOfAJobTests {
    @Test func aJobIsClaimedOnceAndEndsInTheHistory() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let enqueued = try await world.queue.enqueue(
                JobRequest(tenant: tenant, kind: .noop, args: #"{"a": 1}"#, traceContext: "00-ab-cd-01")
            )
            let jobs = try await world.claim(worker)
            #expect(jobs.map(\.id) == [enqueued.id])
            #expect(jobs[0].args == #"{"a": 1}"#)
            #expect(jobs[0].attempt == 1)
            #expect(jobs[0].traceContext == "00-ab-cd-01")
            #expect(try await world.claim(worker).isEmpty)
            #expect(try await world.settle(jobs[0], .completed) == .settled(.completed))
            let record = try await world.queue.show(enqueued.id)
            #expect(record.summary.state == .completed)
            #expect(record.worker == worker)
            #expect(try await world.number("select count(*) from leasehold.job") == 0)
        }
    }

    @Test func aRetryCountsTheAttemptAndTheLastOneDiscards() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let id = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, maxAttempts: 2)).id
            let first = try #require(await world.claim(worker).first)
            #expect(
                try await world.settle(first, .retry(reason: "no \"x\" in 17"), label: "bad") == .settled(.scheduled)
            )
            try await world.makeDue()
            let second = try #require(await world.claim(worker).first)
            #expect(second.attempt == 2)
            #expect(
                try await world.settle(second, .retry(reason: "no \"y\" in 4"), label: "bad") == .settled(.discarded)
            )
            let record = try await world.queue.show(id)
            #expect(record.summary.state == .discarded)
            #expect(record.lastError == "no \"y\" in 4")
            #expect(record.attempts.map(\.attempt) == [1, 2])
            #expect(Set(record.attempts.map(\.fingerprint)).count == 1)
        }
    }

    @Test(arguments: [JobOutcome.snooze(.seconds(60), reason: "later"), .park(reason: "no token")])
    func snoozeAndParkDoNotCountTheAttempt(outcome: JobOutcome) async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, maxAttempts: 1))
            for _ in 1...3 {
                let job = try #require(await world.claim(worker).first)
                #expect(job.attempt == 1)
                #expect(try await world.settle(job, outcome).isSettled)
                #expect(try await world.claim(worker).isEmpty)
                try await world.makeDue()
                try await world.queue.unpark(tenant)
            }
        }
    }

    @Test func aHandedBackJobComesAgainAtOnceUncounted() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop, maxAttempts: 1))
            let job = try #require(await world.claim(worker).first)
            #expect(try await world.queue.settle([.handBack(job: job.id, run: job.run)]) == [.settled(.ready)])
            let again = try #require(await world.claim(worker).first)
            #expect(again.id == job.id)
            #expect(again.attempt == 1)
            #expect(again.run != job.run)
        }
    }

    @Test func whatAWorkerRunsGoesBackWhenItUnregisters() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let (leaving, staying) = (try await world.addWorker(), try await world.addWorker())
            _ = try await world.queue.enqueue((1...30).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            let held = try await world.claim(leaving, 20)
            #expect(try await world.queue.running(by: leaving).count == 20)
            #expect(try await world.queue.unregister(leaving) == 20)
            let taken = try await world.claim(staying, 100)
            #expect(taken.count == 30)
            #expect(taken.allSatisfy { $0.attempt == 1 })
            #expect(Set(held.map(\.id)).isSubset(of: taken.map(\.id)))
        }
    }

    @Test func aCancelledWaitingJobEndsAndARunningOneIsToldToItsWorker() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let ids = try await world.queue.enqueue((1...2).map { _ in JobRequest(tenant: tenant, kind: .noop) }).map(
                \.id
            )
            let job = try #require(await world.claim(worker, 1).first)
            let waiting = ids.first { $0 != job.id }!
            #expect(try await world.queue.cancel(waiting) == .cancelled)
            #expect(try await world.state(waiting) == .cancelled)
            #expect(try await world.queue.cancel(job.id) == .requested)
            for _ in 1...2 {
                #expect(try await world.queue.heartbeat(worker).cancelRequested.map(\.job) == [job.id])
            }
            // However the run ends but by completion, the job does not run again.
            #expect(try await world.settle(job, .retry(reason: "x")) == .settled(.cancelled))
            #expect(try await world.queue.cancel(job.id) == .ended)
            #expect(try await world.number("select count(*) from leasehold.job_cancel") == 0)
        }
    }

    @Test func anEndedJobRunsAgainUnderItsIdWhenRetried() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            let id = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop)).id
            let first = try #require(await world.claim(worker).first)
            try await world.settle(first, .discard(reason: "hopeless"))
            #expect(try await world.queue.retry(id) == .ready)
            let again = try #require(await world.claim(worker).first)
            #expect(again.id == id)
            #expect(again.attempt == 1)
            #expect(again.run.rawValue == first.run.rawValue + 1)
            try await world.complete([again])
            #expect(try await world.number("select count(*) from leasehold.job_history") == 1)
        }
    }

    @Test func progressIsKeptForTheNextRunAndRefusedAfterTheRun() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("acme")[0]
            let worker = try await world.addWorker()
            _ = try await world.queue.enqueue(JobRequest(tenant: tenant, kind: .noop))
            let job = try #require(await world.claim(worker).first)
            #expect(try await world.queue.saveProgress(job: job.id, run: job.run, json: #"{"page": 3}"#))
            try await world.settle(job, .retry(reason: "x", after: .zero))
            #expect(try await world.queue.saveProgress(job: job.id, run: job.run, json: "{}") == false)
            #expect(try #require(await world.claim(worker).first).progress == #"{"page": 3}"#)
        }
    }
}
