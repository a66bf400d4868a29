import FakePitchly
import FaultKit
import Logging
import TestSupport
import Testing

/// Runs faults, one tenant each, against the real vault in worker processes.
struct FaultMatrix: Sendable {
    var plan = FaultStage.Plan()
    /// One after the other, each alone with the workers.
    var isSerial = false

    /// - Returns: how each ended, in the order of `faults`.
    func run(_ faults: [FaultKind]) async throws -> [TrialResult] {
        var plan = plan
        plan.tenants = faults.count
        return try await withPrivatePostgres { server in
            try await FaultStage.withStage(plan, on: server, logger: Self.logger) { stage in
                let results = try await isSerial ? oneByOne(stage, faults) : together(stage, faults)
                let text = await stage.logText()
                #expect(stage.provider.secrets.count { text.contains($0) } == 0, "a worker wrote a token to its log")
                return results.sorted { $0.trial.number < $1.trial.number }
            }
        }
    }

    private func together(_ stage: FaultStage, _ faults: [FaultKind]) async throws -> [TrialResult] {
        try await withThrowingTaskGroup(of: TrialResult.self) { group in
            for (number, fault) in faults.enumerated() {
                group.addTask {
                    try await TrialRunner(stage).run(Trial(number: number, fault: fault), tenant: stage.tenants[number])
                }
            }
            return try await group.reduce(into: []) { $0.append($1) }
        }
    }

    private func oneByOne(_ stage: FaultStage, _ faults: [FaultKind]) async throws -> [TrialResult] {
        var results: [TrialResult] = []
        for (number, fault) in faults.enumerated() {
            let trial = Trial(number: number, fault: fault)
            results.append(try await TrialRunner(stage).run(trial, tenant: stage.tenants[number]))
        }
        return results
    }

    static let logger: Logger = {
        var logger = Logger(label: "fault-tests", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        return logger
    }()
}

/// Nothing was presented twice, and the credential works.
func expectKept(_ results: [TrialResult], sourceLocation: SourceLocation = #_sourceLocation) {
    for result in results {
        let name = result.trial.fault.name
        #expect(result.end == .saved, "\(name): \(result.end) \(result.note)", sourceLocation: sourceLocation)
        #expect(
            result.presentedTwice == 0,
            "\(name) presented a token twice: \(result.note)",
            sourceLocation: sourceLocation
        )
    }
}
