package import JobQueue
package import LeaseholdCore

/// Decides what becomes of a job once its handler has returned or thrown, and why it was stopped if
/// it was.
///
/// | the handler | not stopped | timeout | cancel requested | shutdown, lease lost |
/// | --- | --- | --- | --- | --- |
/// | completes, discards, cancels | as it says | as it says | as it says | as it says |
/// | snoozes, parks | as it says | as it says | cancelled | as it says |
/// | asks for a retry | retry | retry | cancelled | handed back |
/// | throws | retry | retry, naming the timeout | cancelled | handed back |
///
/// Handed back means: ready at once for any worker, the attempt not counted.
package struct OutcomeRules: Sendable {
    package let retry: RetryPolicy
    package let attempt: Int
    package let random: RandomSource

    /// Long enough for a text with a hint, short enough for a log line and a table cell.
    package static let longestReason = 2_000

    package init(retry: RetryPolicy, attempt: Int, random: RandomSource) {
        self.retry = retry
        self.attempt = attempt
        self.random = random
    }

    package func verdict(returned outcome: JobOutcome, stop: StopReason?) -> Verdict {
        switch (outcome, stop) {
        case (.completed, _), (.discard, _), (.cancelled, _):
            Verdict(outcome.shortened)
        case (.retry, .cancelRequested), (.snooze, .cancelRequested), (.park, .cancelRequested):
            .cancelled
        case (.retry(let reason, _), .shutdown), (.retry(let reason, _), .leaseLost):
            .handedBack(because: reason)
        case (.retry(let reason, let after), _):
            Verdict(delayed(reason, after: after), errorLabel: "retry_asked")
        case (.snooze, _), (.park, _):
            Verdict(outcome.shortened)
        }
    }

    package func verdict(threw error: any Error, stop: StopReason?) -> Verdict {
        switch stop {
        case .cancelRequested:
            return .cancelled
        case .shutdown:
            return .handedBack(because: "the worker was stopped")
        case .leaseLost:
            return .handedBack(because: "the worker lost its lease, or could not reach the database for too long")
        case .timeout(let limit):
            let detail = error is CancellationError ? "" : ": \(errorText(error))"
            let reason = "expected to end within \(limit), and was cancelled\(detail)"
            return Verdict(delayed(reason, after: nil), errorLabel: "job_timeout")
        case nil:
            return Verdict(delayed(errorText(error), after: nil), errorLabel: errorLabel(error))
        }
    }

    private func delayed(_ reason: String, after: Duration?) -> JobOutcome {
        .retry(reason: shorten(reason), after: after ?? retry.delay(afterAttempt: attempt, random: random))
    }
}

/// What is to be written about one run of a job.
package struct Verdict: Sendable, Equatable {
    package let outcome: JobOutcome
    /// Groups failures; nil where nothing failed.
    package let errorLabel: String?
    /// The attempt is not counted and the job is ready again at once.
    package let isHandBack: Bool

    init(_ outcome: JobOutcome, errorLabel: String? = nil, isHandBack: Bool = false) {
        self.outcome = outcome
        self.errorLabel = errorLabel
        self.isHandBack = isHandBack
    }

    static let refusedLabel = "outcome_refused"

    /// Written in place of an outcome that the database will not take.
    static func refused(_ label: String) -> Verdict {
        Verdict(
            .retry(reason: "the database refused this run's outcome (\(label))", after: .seconds(60)),
            errorLabel: refusedLabel
        )
    }

    static let cancelled = Verdict(.cancelled(reason: "cancelled while it ran"))

    static func handedBack(because reason: String) -> Verdict {
        Verdict(.snooze(.zero, reason: shorten("handed back: \(reason)")), isHandBack: true)
    }

    /// What the job's kind and every kind this worker knows are goes into the text, since whoever
    /// reads it in the job's last error has not got this worker's log at hand.
    static func unknownKind(_ kind: JobKind, known: [JobKind], wait: Duration) -> Verdict {
        let list = known.isEmpty ? "none" : known.map(\.rawValue).joined(separator: ", ")
        let reason =
            "expected a kind that the worker knows (\(list)), got \(kind) "
            + "(try: deploy a worker that registers \(kind) on this queue, or cancel the job)"
        return Verdict(.snooze(wait, reason: shorten(reason)), errorLabel: "kind_unknown")
    }

    /// For metrics and logs.
    package var label: String { isHandBack ? "handed_back" : outcome.label }

    /// Every value of ``label``.
    static let labels = ["completed", "retry", "snooze", "park", "discard", "cancelled", "handed_back"]
}

extension JobOutcome {
    /// Without a variable part.
    package var label: String {
        switch self {
        case .completed: "completed"
        case .retry: "retry"
        case .snooze: "snooze"
        case .park: "park"
        case .discard: "discard"
        case .cancelled: "cancelled"
        }
    }

    /// Until the job comes again; nil if it does not, or the database decides.
    var delay: Duration? {
        switch self {
        case .retry(_, let after): after
        case .snooze(let delay, _): delay
        case .completed, .park, .discard, .cancelled: nil
        }
    }

    /// What the handler or the rules said about it.
    var reason: String? {
        switch self {
        case .completed: nil
        case .retry(let reason, _), .snooze(_, let reason), .park(let reason), .discard(let reason),
            .cancelled(let reason):
            reason
        }
    }

    /// The same with a reason that fits its column.
    fileprivate var shortened: JobOutcome {
        switch self {
        case .completed: self
        case .retry(let reason, let after): .retry(reason: shorten(reason), after: after)
        case .snooze(let delay, let reason): .snooze(delay, reason: shorten(reason))
        case .park(let reason): .park(reason: shorten(reason))
        case .discard(let reason): .discard(reason: shorten(reason))
        case .cancelled(let reason): .cancelled(reason: shorten(reason))
        }
    }
}

/// PostgreSQL's text holds no NUL: with one in it the database would refuse the settle for ever.
private func shorten(_ reason: String) -> String {
    let clean = reason.unicodeScalars.contains("\0") ? reason.replacing("\0", with: "\u{FFFD}") : reason
    return clean.count <= OutcomeRules.longestReason ? clean : clean.prefix(OutcomeRules.longestReason - 3) + "..."
}
