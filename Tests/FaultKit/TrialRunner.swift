import FakePitchly

/// Takes a tenant through a trial: sets the fault, makes the credential due, waits until it is well
/// again or given up, and reads the books.
package struct TrialRunner: Sendable {
    private let stage: FaultStage

    /// Longer than any recovery takes, also behind workers that stand still on a machine with other work.
    private static let patience: Duration = .seconds(600)

    package init(_ stage: FaultStage) { self.stage = stage }

    package func run(_ trial: Trial, tenant: String) async throws -> TrialResult {
        let clock = ContinuousClock()
        let start = clock.now
        let before = try await Books(stage, tenant)
        let fault = ProviderFault(
            trial.fault,
            organization: tenant,
            deadline: stage.deadline,
            lifetime: stage.provider.configuration.oauth.accessTokenSeconds
        )
        let id = fault.rule.map { stage.provider.faults.add($0) }
        await stage.director.arm(trial.fault, for: tenant)
        let standing = try await withThrowingTaskGroup(of: Void.self) { group in
            if let gate = fault.gate, let id {
                group.addTask { try await strikeInFlight(trial.fault, tenant, id, gate) }
            }
            let standing = try await settled(tenant, after: before.generation, deadline: start + Self.patience)
            group.cancelAll()
            return standing
        }
        fault.gate?.open()
        let hits = id.map { stage.provider.faults.hits(of: $0) } ?? 0
        if let id { stage.provider.faults.remove(id) }
        if trial.fault.comesAfterTheSave { try await stage.director.struck(tenant, within: .seconds(5)) }
        let hasStruck = await stage.director.disarm(tenant)
        var result = try await judge(trial, tenant, standing, before)
        result.hasStruck = hits > 0 || hasStruck
        result.seconds = (clock.now - start) / .seconds(1)
        return result
    }

    /// Once the provider has rotated the token and holds its answer back.
    private func strikeInFlight(_ fault: FaultKind, _ tenant: String, _ id: Int, _ gate: FaultGate) async throws {
        defer { gate.open() }
        while stage.provider.faults.hits(of: id) == 0 { try await ContinuousClock().sleep(for: .milliseconds(10)) }
        try await stage.director.strikeInFlight(fault, tenant: tenant, deadline: stage.deadline) { gate.open() }
    }

    /// Waits until the generation has moved on and nothing is open, or a person is asked for.
    private func settled(
        _ tenant: String,
        after generation: Int64,
        deadline: ContinuousClock.Instant
    ) async throws -> CredentialStanding? {
        var last: CredentialStanding?
        while ContinuousClock.now < deadline {
            let seen = stage.watch.count(of: tenant)
            if let standing = try await stage.database.standings(of: [tenant]).first {
                last = standing
                if standing.state == "needs_authorization" { return standing }
                if standing.isHealthy {
                    if standing.generation > generation { return standing }
                    try await stage.database.nudge([tenant])
                }
            }
            await stage.watch.change(of: tenant, after: seen)
            try Task.checkCancellation()
        }
        return last
    }

    private func judge(
        _ trial: Trial,
        _ tenant: String,
        _ standing: CredentialStanding?,
        _ before: Books
    ) async throws -> TrialResult {
        let after = try await Books(stage, tenant)
        let ledger = after.ledger - before.ledger
        let isExcused = await stage.director.isExcused(tenant)
        await stage.director.forgive(tenant)
        var result = TrialResult(trial, tenant: tenant, end: .stuck)
        if let standing {
            if standing.state == "needs_authorization" {
                let isIrreducible = isExcused || trial.fault.losesReply
                result.end = isIrreducible && ledger.posts > 0 ? .lost : .falseVerdict
            } else if standing.isHealthy, standing.generation > before.generation {
                result.end = .saved
            }
        }
        result.lines = try await stage.database.log(of: tenant, after: before.lastLine)
        result.posts = ledger.posts
        result.rung = Self.rung(result.lines)
        result.presentedTwice = max(0, ledger.repeated - (after.declared - before.declared))
        if result.end != .saved || result.isViolation {
            let story = result.lines.map { "\($0.rung) \($0.outcome) \($0.errorClass)" }.joined(separator: ", ")
            result.note = "excused \(isExcused); \(story); row \(String(describing: standing))"
        }
        return result
    }

    /// How the credential came back; nil if the first exchange brought it.
    private static func rung(_ lines: [ExchangeLine]) -> String? {
        guard let saving = lines.last(where: { $0.outcome == "saved" || $0.outcome == "replayed" }) else { return nil }
        if saving.outcome == "replayed" { return "spool" }
        return saving.rung == "refresh" && lines.count == 1 ? nil : saving.rung
    }

    /// Everything that is counted, at one moment.
    private struct Books {
        let generation: Int64
        let ledger: LedgerAudit
        let declared: Int
        let lastLine: Int64

        init(_ stage: FaultStage, _ tenant: String) async throws {
            ledger = stage.audit(tenant)
            declared = await stage.director.declaredPresentations(of: tenant)
            generation = try await stage.database.standings(of: [tenant]).first?.generation ?? 0
            lastLine = try await stage.database.log(of: tenant).last?.number ?? 0
        }
    }
}

extension FaultStage {
    func audit(_ tenant: String) -> LedgerAudit {
        LedgerAudit(provider.ledger(organization: tenant).organization(tenant))
    }

    /// POSTs of refresh tokens that had been presented before and that no worker had declared.
    package func presentedTwice() async -> Int {
        var sum = 0
        for tenant in tenants {
            sum += max(0, audit(tenant).repeated - (await director.declaredPresentations(of: tenant)))
        }
        return sum
    }
}
