internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

extension Worker: JobLedger {
    /// One run of one job, from its lease to its verdict.
    func run(_ job: ClaimedJob, control: JobControl) async {
        let lease = JobLease(job, ledger: self)
        report(.jobStarted(job))
        let began = timeline.now()
        let verdict = await verdict(on: job, control: control)
        let duration = timeline.now() - began
        report(.jobEnded(job, verdict, seconds: duration.seconds))
        lease.settle(verdict, ran: duration)
    }

    private func verdict(on job: ClaimedJob, control: JobControl) async -> Verdict {
        guard let entry = registry.entries[job.kind] else {
            report(.kindUnknown(job))
            return .unknownKind(job.kind, known: registry.kinds, wait: settings.unknownKindDelay)
        }
        let rules = OutcomeRules(retry: entry.options.retry, attempt: job.attempt, random: random)
        do {
            let outcome = try await control.stoppable {
                guard let limit = limits[job.kind] else {
                    return try await handle(job, with: entry, control: control)
                }
                return try await limit.withPermit {
                    try await handle(job, with: entry, control: control)
                }
            }
            return rules.verdict(returned: outcome, stop: control.stopReason)
        } catch {
            return rules.verdict(threw: error, stop: control.stopReason)
        }
    }

    private func handle(
        _ job: ClaimedJob,
        with entry: JobRegistry.Entry,
        control: JobControl
    ) async throws -> JobOutcome {
        // Stopped before it began: no handler need find out.
        try Task.checkCancellation()
        let limit = job.timeout ?? entry.options.timeout
        let deadline = limit.map { RunningJobs.Deadline(moment: timeline.now() + $0, limit: $0) }
        let watchIsLate = state.withLock { state in
            state.running.began(job.key, deadline: deadline)
            return state.isWatchLate(for: deadline?.moment)
        }
        if watchIsLate { watchWake.give() }
        let context = JobContext(
            job: job,
            logger: self.logger(for: job),
            control: control,
            deadline: deadline?.moment,
            clock: { [timeline] in timeline.now() },
            writeProgress: { [queue] job, json in
                try await queue.saveProgress(job: job.id, run: job.run, json: json)
            }
        )
        return try await JobTrace.run(job) { try await entry.handler(context) }
    }

    func dropped(_ job: ClaimedJob) {
        report(.leaseDropped(job))
        settle(job, .handedBack(because: "its run ended without an outcome"), ran: .zero)
    }

    /// Frees the job's slot and leaves the verdict to the next batch.
    func settle(_ job: ClaimedJob, _ verdict: Verdict, ran: Duration) {
        let now = timeline.now()
        let wakes = state.withLock { $0.ended(PendingSettle(job: job, verdict: verdict, ran: ran), now: now) }
        if wakes.claimLoop { claimWake.give() }
        if wakes.settleLoop { settleWake.give() }
    }
}
