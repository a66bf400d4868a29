internal import JobQueue
import LeaseholdCore
internal import LeaseholdCore
internal import Synchronization

/// Called by the claim loop: no claim is on its way meanwhile. What the server process of a lost
/// connection commits later is found next time, or by a rescue.
extension Worker {
    /// Hands back what the database counts as this worker's and the worker never heard of.
    func reconcile(_ worker: WorkerID, backoff: inout Backoff) async {
        do {
            try await handBackStrays(of: worker)
            backoff.succeeded()
        } catch {
            if isAway(error) {
                let (now, pause) = (timeline.now(), backoff.failed(random))
                state.withLock { $0.claimFailed(now: now, retryAt: now + pause) }
            }
            report(.reconcileFailed(error))
        }
    }

    /// Gives back what a lapsed life of this worker still counts for.
    func finish(_ step: FormerLives.Step, backoff: inout Backoff) async {
        do {
            switch step {
            case .search(let life): try await handBackStrays(of: life)
            case .signOff(let life): try await signOff(life)
            }
            backoff.succeeded()
            state.withLock { $0.formerLives.did(step) }
        } catch {
            let (now, pause) = (timeline.now(), backoff.failed(random))
            state.withLock { $0.formerLives.failed(retryAt: now + pause) }
            report(.reconcileFailed(error))
        }
    }

    private func handBackStrays(of worker: WorkerID) async throws {
        let strays = try await timeline.limit(settings.answerLimit, "reconcile") {
            let counted = try await self.queue.running(by: worker)
            let strays = self.state.withLock { state in
                counted.filter { !state.isHeld(RunKey(job: $0.job, run: $0.run)) }
            }
            if strays.isEmpty { return 0 }
            // Not every one is: the outcome of a run may have been on its way to its commit.
            return try await self.queue.settle(strays.map { .handBack(job: $0.job, run: $0.run) })
                .count(where: \.isSettled)
        }
        if strays > 0 { report(.strayHandedBack(jobs: strays)) }
    }

    private func signOff(_ life: WorkerID) async throws {
        let strays = try await timeline.limit(settings.answerLimit, "sign-off of a former life") {
            try await self.queue.unregister(life)
        }
        if strays > 0 { report(.strayHandedBack(jobs: strays)) }
        report(.formerLifeEnded(life))
    }
}
