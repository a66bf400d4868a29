import FaultKit
import Logging
import Synchronization
import TestSupport
import Testing

/// Faults against the real program: each test has a PostgreSQL, a provider and worker processes of its
/// own. A few of them run at once; most of their time is spent waiting for intents to run out.
@Suite enum FaultTests {
    static let gate = StageGate(limit: 4)

    static let logger: Logger = {
        var logger = Logger(label: "fault-tests", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        return logger
    }()

    /// Runs `body` on a stage of its own.
    static func stage<Result: Sendable>(
        _ configure: (inout FaultStage.Plan) -> Void,
        _ body: @Sendable (FaultStage) async throws -> Result
    ) async throws -> Result {
        var plan = FaultStage.Plan()
        configure(&plan)
        return try await gate.pass {
            try await withPrivatePostgres { server in
                try await FaultStage.withStage(plan, on: server, logger: logger, body)
            }
        }
    }

    struct Outcome: Sendable {
        let results: [TrialResult]
        let report: ChaosReport
    }

    /// Plays each lane's faults one after the other, a tenant to a lane, all lanes at once.
    static func play(
        lanes: [[FaultKind]],
        _ configure: (inout FaultStage.Plan) -> Void = { _ in }
    ) async throws -> Outcome {
        let results = Mutex<[TrialResult]>([])
        var number = 0
        let trials = lanes.map { lane in
            lane.map { fault in
                number += 1
                return Trial(number: number, fault: fault)
            }
        }
        let report = try await stage(
            {
                $0.tenants = lanes.count
                $0.workers = 4
                configure(&$0)
            },
            { stage in
                try await ChaosRun(stage) { result in results.withLock { $0.append(result) } }.play(trials)
            }
        )
        return Outcome(
            results: results.withLock { $0 }.sorted { $0.trial.number < $1.trial.number },
            report: report
        )
    }

    /// Every fault at once, each on a tenant of its own.
    static func play(
        _ faults: [FaultKind],
        _ configure: (inout FaultStage.Plan) -> Void = { _ in }
    ) async throws -> Outcome {
        try await play(lanes: faults.map { [$0] }, configure)
    }
}

/// Lets so many through at once.
actor StageGate {
    private var free: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(limit: Int) { free = limit }

    nonisolated func pass<Result: Sendable>(_ body: () async throws -> Result) async throws -> Result {
        await enter()
        do {
            let result = try await body()
            await leave()
            return result
        } catch {
            await leave()
            throw error
        }
    }

    private func enter() async {
        guard free == 0 else {
            free -= 1
            return
        }
        await withCheckedContinuation { waiting.append($0) }
    }

    private func leave() {
        if waiting.isEmpty { free += 1 } else { waiting.removeFirst().resume() }
    }
}

extension FaultTests.Outcome {
    /// The faults happened, nothing was presented twice, every credential works, and no secret was logged.
    func expectKept(sourceLocation: SourceLocation = #_sourceLocation) {
        for result in results {
            let name = result.trial.fault.name
            #expect(
                result.hasStruck || result.trial.fault == .none,
                "\(name) did not happen",
                sourceLocation: sourceLocation
            )
            #expect(
                result.end == .saved,
                "\(name): \(result.end.rawValue) \(result.note)",
                sourceLocation: sourceLocation
            )
        }
        #expect(report.holds(mayLose: false), "\(report.violations)\n\(report.table)", sourceLocation: sourceLocation)
    }

    /// The same, but for `lost`, whose tokens are lost without blame.
    func expectLost(
        _ isLost: (FaultKind) -> Bool,
        sourceLocation: SourceLocation = #_sourceLocation
    ) {
        for result in results {
            #expect(
                result.end == (isLost(result.trial.fault) ? .lost : .saved),
                "\(result.trial.fault.name): \(result.end.rawValue) \(result.note)",
                sourceLocation: sourceLocation
            )
        }
        #expect(report.holds(mayLose: true), "\(report.violations)\n\(report.table)", sourceLocation: sourceLocation)
    }

    subscript(_ fault: FaultKind) -> TrialResult? { results.first { $0.trial.fault == fault } }
}
