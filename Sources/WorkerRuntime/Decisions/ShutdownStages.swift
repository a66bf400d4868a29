package import LeaseholdCore

/// Decides how a worker ends: it stops claiming, lets running jobs end for the drain time, then
/// cancels what still runs.
package struct ShutdownStages: Sendable, Equatable {
    package enum Stage: Sendable, Equatable {
        /// Claims and runs. Can become `draining` or `cancelling`.
        case working
        /// Claims nothing more; running jobs go on until the moment. Can become `cancelling`.
        case draining(until: Moment)
        /// Running jobs have been cancelled and are handed back. Stays.
        case cancelling
    }

    package enum Action: Sendable, Equatable {
        case none
        case stopClaiming
        /// Implies that claiming has stopped.
        case cancelJobs
    }

    package let drainTime: Duration
    package private(set) var stage = Stage.working

    package init(drainTime: Duration) { self.drainTime = drainTime }

    package var mayClaim: Bool { stage == .working }

    /// When ``tick(now:)`` has something to do, if ever.
    package var deadline: Moment? {
        if case .draining(let until) = stage { until } else { nil }
    }

    /// The first request drains; a second one, like a second signal of an impatient operator,
    /// skips the rest of the drain.
    package mutating func stopRequested(now: Moment) -> Action {
        switch stage {
        case .working:
            stage = .draining(until: now + drainTime)
            return .stopClaiming
        case .draining:
            return skipDrain()
        case .cancelling:
            return .none
        }
    }

    package mutating func skipDrain() -> Action {
        if stage == .cancelling { return .none }
        stage = .cancelling
        return .cancelJobs
    }

    package mutating func tick(now: Moment) -> Action {
        guard case .draining(let until) = stage, now >= until else { return .none }
        return skipDrain()
    }
}
