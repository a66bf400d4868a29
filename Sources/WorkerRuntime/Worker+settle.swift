internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

extension Worker {
    /// Writes outcomes that no claim takes along, until cancelled.
    func writeSettles() async {
        var backoff = Backoff()
        while !Task.isCancelled {
            let now = timeline.now()
            switch state.withLock({ $0.nextSettle(now: now) }) {
            case .write(let batch):
                await write(batch, backoff: &backoff)
            case .handOver(let until):
                claimWake.give()
                await settleWake.wait(until: until, on: timeline)
            case .wait(let until):
                await settleWake.wait(until: until, on: timeline)
            }
        }
    }

    private func write(_ batch: [SettleBuffer<PendingSettle>.Unwritten], backoff: inout Backoff) async {
        let sent = timeline.now()
        do {
            let results = try await timeline.limit(settings.answerLimit, "settle") {
                try await self.queue.settle(batch.map(\.entry.settlement))
            }
            backoff.succeeded()
            wrote(batch, results, sent: sent)
        } catch {
            if refuses(batch, error) { return }
            let pause = backoff.failed(random)
            let now = timeline.now()
            state.withLock { $0.settles.failed(batch, retryAt: now + pause, halving: blamesData(error)) }
            report(.settleFailed(error, jobs: batch.count, failures: backoff.failures, retryIn: pause))
        }
    }

    /// An answer came for every outcome of the batch.
    func wrote(_ batch: [SettleBuffer<PendingSettle>.Unwritten], _ results: [SettleResult], sent: Moment) {
        var written: [WrittenOutcome] = []
        var delays: [Duration] = []
        for (unwritten, result) in zip(batch, results) {
            let (job, label) = (unwritten.entry.job, unwritten.entry.verdict.label)
            switch result {
            case .settled(let fate):
                written.append(WrittenOutcome(job: job, outcome: label, fate: fate))
                if fate == .scheduled, let delay = unwritten.entry.verdict.outcome.delay { delays.append(delay) }
            case .leaseLost where unwritten.tries > 0:
                report(.settleUnconfirmed(job, outcome: label))
            case .leaseLost:
                report(.leaseLost(job, outcome: label))
            }
        }
        let now = timeline.now()
        let unwritten = state.withLock { state in
            state.settles.wrote(batch)
            for entry in batch { state.answered(entry.entry.job.key) }
            state.claims.mayHaveMore()
            if let soonest = delays.min() { state.claims.willBeDue(at: now + soonest) }
            return state.settles.unwritten
        }
        report(.settled(written, unwritten: unwritten, seconds: (timeline.now() - sent).seconds))
        claimWake.give()
        writtenWake.give()
    }

    /// Ends the tries for one outcome that the database, being there, will not take: first a plainer
    /// one is written in its place, then nothing, so that it does not stand before the others.
    ///
    /// - Returns: false if the batch is to be tried again as it is.
    private func refuses(_ batch: [SettleBuffer<PendingSettle>.Unwritten], _ error: any Error) -> Bool {
        guard let only = batch.first, batch.count == 1, only.tries >= 2, blamesData(error) else { return false }
        let job = only.entry.job
        report(.settleRefused(job, error))
        let isPlain = only.entry.verdict.errorLabel == Verdict.refusedLabel
        let now = timeline.now()
        state.withLock { state in
            state.settles.wrote(batch)
            if isPlain {
                state.answered(job.key)
            } else {
                _ = state.settles.add(PendingSettle(job: job, verdict: .refused(errorLabel(error))), now: now)
            }
        }
        writtenWake.give()
        return true
    }
}
