import Foundation
import LeaseholdCore
import Synchronization
package import TestSupport

/// All lanes of a run at once, and a last look at every tenant.
package struct ChaosRun: Sendable {
    private let stage: FaultStage
    private let standby: PrivatePostgres?
    /// Told how every trial ended.
    private let tell: @Sendable (TrialResult) -> Void

    /// - Parameter standby: of the stage's server. Takes over when half of the trials are done, without the
    ///   commits of the last moments.
    package init(
        _ stage: FaultStage,
        promoting standby: PrivatePostgres? = nil,
        tell: @escaping @Sendable (TrialResult) -> Void = { _ in }
    ) {
        self.stage = stage
        self.standby = standby
        self.tell = tell
    }

    package func play(_ lanes: [[Trial]]) async throws -> ChaosReport {
        let start = ContinuousClock.now
        let halfTime = HalfTime(trials: lanes.reduce(0) { $0 + $1.count })
        async let promotion: Void = promote(at: halfTime.reached)
        let results = try await withThrowingTaskGroup(of: [TrialResult].self) { group in
            for (tenant, trials) in zip(stage.tenants, lanes) {
                group.addTask { try await play(trials, tenant: tenant, halfTime) }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        // Lanes that broke off early are no reason to wait for ever.
        halfTime.reached.give()
        try await promotion
        let broken = try await stage.brokenTenants()
        return ChaosReport(
            results: results.sorted { $0.trial.number < $1.trial.number },
            presentedTwice: await stage.presentedTwice(),
            broken: broken,
            hasLoggedSecrets: try await stage.secretsAreLogged(),
            seconds: (ContinuousClock.now - start) / .seconds(1)
        )
    }

    private func promote(at moment: WakeSignal) async throws {
        guard let standby else { return }
        await moment.wait()
        try Task.checkCancellation()
        try await stage.failOver(missingCommits: standby)
    }

    private func play(_ trials: [Trial], tenant: String, _ halfTime: HalfTime) async throws -> [TrialResult] {
        let runner = TrialRunner(stage)
        var results: [TrialResult] = []
        for trial in trials {
            let result = try await runner.run(trial, tenant: tenant)
            results.append(result)
            tell(result)
            halfTime.count()
            // A person logs in again; the run goes on with the new grant.
            if result.end == .lost || result.end == .falseVerdict { try await connect(again: result) }
            // One that hangs would hang in every trial after it.
            if result.end == .stuck { break }
        }
        return results
    }

    private func connect(again result: TrialResult) async throws {
        do {
            try await stage.connect(result.tenant)
        } catch {
            throw TestSupportError(
                label: "not_connected",
                message: "expected \(result.tenant) to be connected again after \(result.trial.fault.name), "
                    + "\(result.end.rawValue) (\(result.note)), got: \(errorText(error))"
            )
        }
    }
}

/// Says when half of the trials are done.
private final class HalfTime: Sendable {
    let reached = WakeSignal()
    private let remaining: Mutex<Int>

    init(trials: Int) { remaining = Mutex((trials + 1) / 2) }

    func count() {
        let isReached = remaining.withLock { remaining in
            remaining -= 1
            return remaining == 0
        }
        if isReached { reached.give() }
    }
}
