package import LeaseholdCore

/// The end of one run, to be written down.
package struct Settlement: Sendable, Equatable {
    package enum Verdict: Sendable, Equatable {
        case outcome(JobOutcome)
        /// Not run to its end through no fault of its own, for example because the worker stops: it
        /// goes back at once and the attempt does not count.
        case handBack
    }

    package let job: JobID
    package let run: RunID
    package let verdict: Verdict
    /// Groups errors, without variable parts.
    package let errorLabel: String?
    /// How long the handler ran; charged to the tenant's share. Nil is the time since the claim.
    package let ran: Duration?

    package init(job: JobID, run: RunID, outcome: JobOutcome, errorLabel: String? = nil, ran: Duration? = nil) {
        self.init(job: job, run: run, verdict: .outcome(outcome), errorLabel: errorLabel, ran: ran)
    }

    package static func handBack(job: JobID, run: RunID) -> Settlement {
        Settlement(job: job, run: run, verdict: .handBack, errorLabel: nil, ran: nil)
    }

    private init(job: JobID, run: RunID, verdict: Verdict, errorLabel: String?, ran: Duration?) {
        self.job = job
        self.run = run
        self.verdict = verdict
        self.errorLabel = errorLabel
        self.ran = ran
    }
}

/// What became of a ``Settlement``.
package enum SettleResult: Sendable, Equatable {
    case settled(JobFate)
    /// The run was not the current one: it had been settled before, or the worker was thought dead
    /// and the job was given to another. Nothing was changed.
    case leaseLost

    package var isSettled: Bool { self != .leaseLost }
}

/// The state of a job after a settle: a state of a live job, or the outcome of one that ended.
package enum JobFate: String, Sendable, CaseIterable {
    case ready
    case scheduled
    case parked
    case completed
    case discarded
    case cancelled
}

extension Settlement {
    /// The word of `leasehold.job_settle`.
    var word: String {
        switch verdict {
        case .handBack: "hand_back"
        case .outcome(.completed): "complete"
        case .outcome(.retry): "retry"
        case .outcome(.snooze): "snooze"
        case .outcome(.park): "park"
        case .outcome(.discard): "discard"
        case .outcome(.cancelled): "cancel"
        }
    }

    var delay: Duration? {
        switch verdict {
        case .outcome(.retry(_, let after)): after
        case .outcome(.snooze(let duration, _)): duration
        case .handBack, .outcome: nil
        }
    }

    var reason: String? {
        switch verdict {
        case .handBack, .outcome(.completed): nil
        case .outcome(.retry(let reason, _)), .outcome(.snooze(_, let reason)), .outcome(.park(let reason)),
            .outcome(.discard(let reason)), .outcome(.cancelled(let reason)):
            reason
        }
    }
}
