import FakePitchly
import FaultKit
import Foundation

/// All lanes of a run at once, and a last look at every tenant.
struct ChaosRun: Sendable {
    struct Outcome: Sendable {
        let report: ChaosReport
        /// Over all tenants, as the provider's ledger and the declarations of the workers have it.
        let presentedTwice: Int
        /// Tenants that a last exchange without faults could not refresh.
        let broken: [String]
        let tokensInLogs: Int
        let seconds: Double

        func holds(ladder: Bool) -> Bool {
            report.violations.isEmpty && presentedTwice == 0 && broken.isEmpty && tokensInLogs == 0
                && (!ladder || report.lost == 0)
        }
    }

    let stage: FaultStage
    let isVerbose: Bool

    func play(_ lanes: [[Trial]]) async throws -> Outcome {
        let start = ContinuousClock.now
        let results = try await withThrowingTaskGroup(of: [TrialResult].self) { group in
            for (tenant, trials) in zip(stage.tenants, lanes) {
                group.addTask { try await play(trials, tenant: tenant) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        let broken = try await lastLook()
        let text = await stage.logText()
        return Outcome(
            report: ChaosReport(results),
            presentedTwice: await presentedTwice(),
            broken: broken,
            tokensInLogs: stage.provider.secrets.count { text.contains($0) },
            seconds: (ContinuousClock.now - start) / .seconds(1)
        )
    }

    private func play(_ trials: [Trial], tenant: String) async throws -> [TrialResult] {
        let runner = TrialRunner(stage)
        var results: [TrialResult] = []
        for trial in trials {
            let result = try await runner.run(trial, tenant: tenant)
            results.append(result)
            if isVerbose {
                let seconds = String(format: "%.1f", result.seconds)
                print(
                    "trial \(trial.number) \(trial.fault.name): \(result.end) by \(result.rung ?? "-") in \(seconds) s"
                )
            }
            // A person logs in again; the run goes on with the new grant.
            if result.end == .lost || result.end == .falseVerdict { try await stage.connect(tenant) }
            // One that hangs would hang in every trial after it.
            if result.end == .stuck { break }
        }
        return results
    }

    private func lastLook() async throws -> [String] {
        let runner = TrialRunner(stage)
        return try await withThrowingTaskGroup(of: String?.self) { group in
            for tenant in stage.tenants {
                group.addTask {
                    let result = try await runner.run(Trial(number: -1, fault: .none), tenant: tenant)
                    return result.end == .saved ? nil : tenant
                }
            }
            return try await group.reduce(into: []) { if let tenant = $1 { $0.append(tenant) } }
        }
    }

    private func presentedTwice() async -> Int {
        var sum = 0
        for tenant in stage.tenants {
            let audit = LedgerAudit(stage.provider.ledger(organization: tenant).organization(tenant))
            sum += max(0, audit.repeated - (await stage.director.declaredPresentations(of: tenant)))
        }
        return sum
    }
}
