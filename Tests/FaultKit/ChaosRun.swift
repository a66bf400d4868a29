import Foundation

/// All lanes of a run at once, and a last look at every tenant.
package struct ChaosRun: Sendable {
    private let stage: FaultStage
    /// Told how every trial ended.
    private let tell: @Sendable (TrialResult) -> Void

    package init(_ stage: FaultStage, tell: @escaping @Sendable (TrialResult) -> Void = { _ in }) {
        self.stage = stage
        self.tell = tell
    }

    package func play(_ lanes: [[Trial]]) async throws -> ChaosReport {
        let start = ContinuousClock.now
        let results = try await withThrowingTaskGroup(of: [TrialResult].self) { group in
            for (tenant, trials) in zip(stage.tenants, lanes) {
                group.addTask { try await play(trials, tenant: tenant) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let broken = try await stage.brokenTenants()
        return ChaosReport(
            results: results.sorted { $0.trial.number < $1.trial.number },
            presentedTwice: await stage.presentedTwice(),
            broken: broken,
            hasLoggedSecrets: try await stage.secretsAreLogged(),
            seconds: (ContinuousClock.now - start) / .seconds(1)
        )
    }

    private func play(_ trials: [Trial], tenant: String) async throws -> [TrialResult] {
        let runner = TrialRunner(stage)
        var results: [TrialResult] = []
        for trial in trials {
            let result = try await runner.run(trial, tenant: tenant)
            results.append(result)
            tell(result)
            // A person logs in again; the run goes on with the new grant.
            if result.end == .lost || result.end == .falseVerdict { try await stage.connect(tenant) }
            // One that hangs would hang in every trial after it.
            if result.end == .stuck { break }
        }
        return results
    }
}
