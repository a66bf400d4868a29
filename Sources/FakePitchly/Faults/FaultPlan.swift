import Synchronization

/// The faults that are set, and which of them hit a request.
package final class FaultPlan: Sendable {
    private let state = Mutex(State())

    private struct State {
        var active: [Active] = []
        var lastID = 0
    }

    fileprivate struct Active {
        let id: Int
        let rule: FaultRule
        var chance: SeededHash
        var spared = 0
        var hits = 0
    }

    /// What a rule's conditions are held against.
    struct Subject {
        let endpoint: FaultRule.Endpoint
        var organization: String?
        var grant: GrantKind?
        var operations: [String] = []
        var tables: [String] = []
        var hasCursor = false
    }

    package init() {}

    /// - Returns: an id for ``hits(of:)`` and ``remove(_:)``.
    @discardableResult
    package func add(_ rule: FaultRule) -> Int {
        state.withLock { state in
            state.lastID += 1
            state.active.append(Active(id: state.lastID, rule: rule, chance: SeededHash(rule.seed, 0xFA017)))
            return state.lastID
        }
    }

    package func remove(_ id: Int) { state.withLock { $0.active.removeAll { $0.id == id } } }

    package func removeAll() { state.withLock { $0.active.removeAll() } }

    /// How many requests the rule has hit; 0 for one that is not set.
    package func hits(of id: Int) -> Int { state.withLock { $0.active.first { $0.id == id }?.hits ?? 0 } }

    package var rules: [(id: Int, rule: FaultRule, hits: Int)] {
        state.withLock { $0.active.map { ($0.id, $0.rule, $0.hits) } }
    }

    /// Counts the request against every rule it matches.
    func faults(for subject: Subject) -> ActiveFaults {
        state.withLock { state in
            var hit: [Fault] = []
            for place in state.active.indices where state.active[place].rule.matches(subject) {
                if state.active[place].strikes() { hit.append(state.active[place].rule.fault) }
            }
            return ActiveFaults(faults: hit)
        }
    }
}

extension FaultPlan.Active {
    fileprivate mutating func strikes() -> Bool {
        if spared < rule.skip {
            spared += 1
            return false
        }
        if let count = rule.count, hits >= count { return false }
        if rule.probability < 1, Double(chance.below(1 << 30)) / Double(1 << 30) >= rule.probability { return false }
        hits += 1
        return true
    }
}

extension FaultRule {
    fileprivate func matches(_ subject: FaultPlan.Subject) -> Bool {
        if case .graphQL(.expiredCursor) = fault, !subject.hasCursor { return false }
        return (endpoint == nil || endpoint == subject.endpoint)
            && (organization == nil || organization == subject.organization)
            && (grant == nil || grant == subject.grant)
            && (operation.map(subject.operations.contains) ?? true)
            && (table.map(subject.tables.contains) ?? true)
    }
}
