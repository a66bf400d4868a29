import LeaseholdCore

/// One exchange of one tenant and what is to go wrong with it.
package struct Trial: Sendable, Equatable {
    package let number: Int
    package let fault: FaultKind

    package init(number: Int, fault: FaultKind) {
        self.number = number
        self.fault = fault
    }
}

/// Which faults a run meets: the same for the same seed and count, whatever the timing of the run.
package struct TrialPlan: Sendable {
    package let trials: [Trial]

    /// Rare ones cost everybody time: a restart of the database disturbs all tenants at once.
    private static let weights: [(weight: Int, draw: @Sendable (RandomSource) -> FaultKind)] = [
        (400, { _ in .none }),
        (20, { _ in .throttled }),
        (60, { pick([.errorBefore, .htmlBefore, .closedBefore], $0) }),
        (90, { pick([.errorAfter, .htmlAfter, .closedAfter, .resetAfter], $0) }),
        (30, { .cutBody(bytes: Int($0.next() % 120)) }),
        (15, { _ in .slowerThanDeadline }),
        (15, { _ in .lateDelivery }),
        (50, { pick([.slow, .trickle, .oddLifetime, .extraMembers], $0) }),
        (20, { _ in .refused }),
        (60, { .kill(pick(FaultKind.Step.allCases, $0)) }),
        (15, { _ in .killInFlight }),
        (10, { .stop(pick(FaultKind.Step.allCases, $0)) }),
        (8, { .stopAndCut(pick([.rowHeld, .sending, .replied, .spooled, .parsed], $0)) }),
        (4, { _ in .stopInFlight }),
        (25, { .terminate(pick(FaultKind.Step.allCases, $0)) }),
        (20, { _ in .diskFull }),
        (50, { .sessionKilled(pick([.rowHeld, .sending, .replied, .spooled, .parsed], $0)) }),
        (30, { _ in .sessionKilledInFlight }),
        (30, { .connectionCut(pick(FaultKind.Step.allCases, $0)) }),
        (44, { .answerLost(pick([.prepared, .intentCommitted, .parsed], $0)) }),
        (4, { .restart(pick(FaultKind.Step.allCases, $0)) }),
    ]

    package init(exchanges: Int, seed: UInt64) {
        let random = RandomSource(seed: seed)
        let total = Self.weights.reduce(0) { $0 + $1.weight }
        trials = (0..<exchanges).map { number in
            var ticket = Int(random.next() % UInt64(total))
            let drawn = Self.weights.first { entry in
                ticket -= entry.weight
                return ticket < 0
            }
            return Trial(number: number, fault: drawn?.draw(random) ?? .none)
        }
    }

    /// The trials of each tenant, in order.
    package func lanes(_ count: Int) -> [[Trial]] {
        var lanes = [[Trial]](repeating: [], count: count)
        for trial in trials { lanes[trial.number % count].append(trial) }
        return lanes
    }
}

private func pick<Value>(_ values: [Value], _ random: RandomSource) -> Value {
    values[Int(random.next() % UInt64(values.count))]
}
