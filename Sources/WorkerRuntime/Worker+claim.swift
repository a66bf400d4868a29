internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

extension Worker {
    /// Claims and runs jobs until the worker is told to stop and its last job has ended.
    func claimAndRun() async {
        var backoff = Backoff()
        await withDiscardingTaskGroup { jobs in
            while true {
                let now = timeline.now()
                switch state.withLock({ $0.nextClaim(now: now) }) {
                case .trip(let trip):
                    for (job, control) in await claim(trip, backoff: &backoff) {
                        jobs.addTask { await self.run(job, control: control) }
                    }
                case .reconcile(let worker):
                    await reconcile(worker, backoff: &backoff)
                case .formerLife(let step):
                    await finish(step, backoff: &backoff)
                case .wait(let until):
                    await claimWake.wait(until: until, on: timeline)
                case .done:
                    return
                }
            }
        }
    }

    /// One round trip: settles what waits, if anything does, and claims.
    private func claim(
        _ trip: WorkerState.ClaimTrip,
        backoff: inout Backoff
    ) async -> [(job: ClaimedJob, control: JobControl)] {
        let sent = timeline.now()
        do {
            let answer = try await timeline.limit(settings.answerLimit, "claim") { try await self.send(trip) }
            backoff.succeeded()
            if !trip.settles.isEmpty { wrote(trip.settles, answer.results, sent: sent) }
            return took(answer, of: trip, sent: sent)
        } catch {
            if let error = error as? JobQueueError, error.code == .workerLapsed { gaveUp(on: trip.worker) }
            let now = timeline.now()
            let pause = backoff.failed(random)
            let (unwritten, failures) = (trip.settles, backoff.failures)
            state.withLock { state in
                state.claimFailed(now: now, retryAt: now + pause)
                if !unwritten.isEmpty {
                    state.settles.failed(unwritten, retryAt: now + pause, halving: blamesData(error))
                }
            }
            settleWake.give()
            report(.claimFailed(error, failures: failures, retryIn: pause))
            return []
        }
    }

    private struct ClaimAnswer: Sendable {
        let results: [SettleResult]
        let jobs: [ClaimedJob]
        let outlook: WorkerOutlook?
    }

    private func send(_ trip: WorkerState.ClaimTrip) async throws -> ClaimAnswer {
        let outlook = try await prepare(trip)
        let request = ClaimRequest(
            worker: trip.worker,
            queues: settings.queues,
            limit: trip.limit,
            woken: trip.woken
        )
        let (results, jobs) = try await queue.settleAndClaim(trip.settles.map(\.entry.settlement), request)
        return ClaimAnswer(results: results, jobs: jobs, outlook: outlook)
    }

    /// What has to be committed before the claim looks.
    private func prepare(_ trip: WorkerState.ClaimTrip) async throws -> WorkerOutlook? {
        switch trip.flag {
        case .leave:
            return nil
        case .clear:
            try await queue.wake(trip.worker)
            return nil
        case .set:
            try await queue.sleep(trip.worker, for: settings.claims.flagTime)
            return try await queue.outlook()
        case .ask:
            return try await queue.outlook()
        }
    }

    private func took(
        _ answer: ClaimAnswer,
        of trip: WorkerState.ClaimTrip,
        sent: Moment
    ) -> [(job: ClaimedJob, control: JobControl)] {
        let now = timeline.now()
        let jobs = answer.jobs
        let (started, running, isSettleDue) = state.withLock { state in
            state.claims.claimed(
                jobs.count,
                asked: trip.limit,
                took: now - sent,
                flag: trip.flag,
                outlook: answer.outlook.map {
                    ClaimSchedule.Outlook(nextDue: $0.dueIn.map { now + $0 }, isInFlight: $0.inFlight)
                },
                now: now,
                random: random
            )
            return (state.claimed(jobs, by: trip.worker), state.running.count, state.isSettleDue(now: now))
        }
        // They may have waited for this claim to take them along with the next one.
        if isSettleDue { settleWake.give() }
        // The first to run: their cancel requests are to be asked for.
        if let started, !started.isEmpty, started.count == running { heartWake.give() }
        report(.claimed(jobs, running: running, seconds: (now - sent).seconds))
        if jobs.isEmpty, trip.flag == .set { report(.asleep) }
        if started == nil { handBack(jobs) }
        return started ?? []
    }

    /// They came while the worker was already ending or had lapsed.
    private func handBack(_ jobs: [ClaimedJob]) {
        let verdict = Verdict.handedBack(because: "the claim came back when the worker had stopped claiming")
        for job in jobs { settle(job, verdict, ran: .zero) }
    }
}
