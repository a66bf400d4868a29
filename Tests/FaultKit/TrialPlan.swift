import LeaseholdCore
import TokenVault

/// Which faults a run meets: the same for the same seed and count, whatever the timing of the run.
package struct TrialPlan: Sendable {
    package let trials: [Trial]

    /// Rare ones cost everybody time: a restart of the database disturbs all tenants at once, and a
    /// worker that stands still does so for a quarter of a minute.
    private static let weights: [(weight: Int, draw: @Sendable (RandomSource) -> FaultKind)] = [
        (400, { _ in .none }),
        (20, { _ in .throttled }),
        (60, { pick([.errorBefore, .htmlBefore, .closedBefore], $0) }),
        (90, { pick([.errorAfter, .htmlAfter, .closedAfter, .resetAfter], $0) }),
        (20, { .cutReply(bytes: pick(0..<200, $0)) }),
        (20, { .cutBody(bytes: pick(0..<120, $0)) }),
        (15, { _ in .slowerThanDeadline }),
        (15, { _ in .lateDelivery }),
        (50, { pick([.slow, .trickle, .oddLifetime, .extraMembers], $0) }),
        (15, { _ in .turnedAway }),
        // Inside the head: whoever meets it was not heard.
        (15, { .requestCut(bytes: pick(0..<120, $0)) }),
        (60, { .kill(pick(FaultKind.Step.allCases, $0)) }),
        (15, { _ in .killInFlight }),
        (8, { .stop(pick(FaultKind.Step.allCases, $0)) }),
        (6, { .stopAndCut(pick(FaultKind.Step.holding, $0)) }),
        (4, { _ in .stopInFlight }),
        (25, { .terminate(pick(FaultKind.Step.allCases, $0)) }),
        (20, { _ in .diskFull }),
        (50, { .sessionKilled(pick(FaultKind.Step.holding, $0)) }),
        (28, { _ in .sessionKilledInFlight }),
        (30, { .connectionCut(pick(FaultKind.Step.allCases, $0)) }),
        (30, { .answerLost(pick([.prepared, .intentCommitted, .parsed], $0)) }),
        (4, { .restart(pick(FaultKind.Step.allCases, $0)) }),
    ]

    package init(exchanges: Int, seed: UInt64) {
        let random = RandomSource(seed: seed)
        let total = Self.weights.reduce(0) { $0 + $1.weight }
        trials = (0..<exchanges).map { number in
            var ticket = pick(0..<total, random)
            let drawn = Self.weights.first { entry in
                ticket -= entry.weight
                return ticket < 0
            }
            return Trial(number: number, fault: drawn?.draw(random) ?? .none)
        }
    }

    package init(_ faults: [FaultKind]) {
        trials = faults.enumerated().map { Trial(number: $0.offset, fault: $0.element) }
    }

    /// The trials of each tenant, in order.
    package func lanes(_ count: Int) -> [[Trial]] {
        var lanes = [[Trial]](repeating: [], count: count)
        for trial in trials { lanes[trial.number % count].append(trial) }
        return lanes
    }
}

private func pick<Values: RandomAccessCollection<Value>, Value>(_ values: Values, _ random: RandomSource) -> Value
where Values.Index == Int {
    values[values.startIndex + Int(random.next() % UInt64(values.count))]
}
