import JobQueue
import LeaseholdCore
import Pitchly
import Postgres

extension SyncJobs {
    /// What becomes of a job that met `error`. Who has read at least one page rests a little and
    /// goes on from the checkpoint; only a claim that got nowhere is a failed attempt.
    ///
    /// - Throws: errors of the database and cancellation, which are the runtime's to judge.
    func outcome(of error: any Error, advanced: Bool) throws -> JobOutcome {
        switch error {
        case is CancellationError, is PostgresError: throw error
        case let error as PitchlyError: outcome(of: error, advanced: advanced)
        case let error as SyncInterruption: outcome(of: error)
        case let error as any ExplainedError: .retry(reason: error.description, after: nil)
        default: throw error
        }
    }

    private func outcome(of error: PitchlyError, advanced: Bool) -> JobOutcome {
        if let delay = error.retryAfter { return .snooze(max(delay, .seconds(1)), reason: error.description) }
        if error.kind == .throttled { return .snooze(settings.throttledDelay, reason: error.description) }
        if advanced, error.isTransient { return .snooze(settings.resumeDelay, reason: error.description) }
        return .retry(reason: error.description, after: nil)
    }

    private func outcome(of error: SyncInterruption) -> JobOutcome {
        switch error {
        case .needsAuthorization: .park(reason: error.description)
        case .noTokenNow(_, let delay): .snooze(max(delay, .seconds(1)), reason: error.description)
        case .busy, .paused, .lost: .snooze(settings.resumeDelay, reason: error.description)
        case .stageLost, .cursorStands, .incomplete: .retry(reason: error.description, after: nil)
        }
    }
}
