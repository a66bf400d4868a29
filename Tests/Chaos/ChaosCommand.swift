import ArgumentParser
import FakePitchly
import FaultKit
import Foundation
import Logging
import TestSupport

/// Exchanges under random faults against the real vault: worker processes, PostgreSQL and a provider
/// over HTTP. Prints a table; the exit status says whether the invariants held.
@main
struct ChaosCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "chaos",
        abstract: "Exchanges refresh tokens under random faults and checks that none is presented twice or lost."
    )

    @Option(help: "How many exchanges.")
    var exchanges = 500

    @Option(help: "Of the faults; the same seed gives the same faults in the same order.")
    var seed: UInt64 = 1

    @Option(help: "on: a still valid access token may be exchanged for a new pair. off: what is lost stays lost.")
    var ladder = Switch.on

    @Option(help: "What the provider does with a token that comes twice: strict, revoke or grace:SECONDS.")
    var mode = "revoke"

    @Option(help: "Tenants, each with one exchange at a time.")
    var tenants = 64

    @Option(help: "Worker processes.")
    var workers = 3

    @Flag(help: "Says how every trial ended.")
    var verbose = false

    enum Switch: String, ExpressibleByArgument, CaseIterable {
        case on
        case off
    }

    func run() async throws {
        guard let rotation = RotationMode(mode) else {
            throw ValidationError("expected --mode to be strict, revoke or grace:SECONDS, got \"\(mode)\"")
        }
        var plan = FaultStage.Plan()
        plan.tenants = min(tenants, max(1, exchanges))
        plan.workers = workers
        plan.rotation = rotation
        plan.allowsAccessTokenExchange = ladder == .on
        plan.accessTokenSeconds = ladder == .on ? 3600 : 30
        if case .grace(let seconds) = rotation { plan.graceSeconds = Double(seconds) }
        let lanes = TrialPlan(exchanges: exchanges, seed: seed).lanes(plan.tenants)
        var logger = Logger(label: "chaos", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        let outcome = try await withPrivatePostgres { server in
            try await FaultStage.withStage(plan, on: server, logger: logger) { stage in
                try await ChaosRun(stage: stage, isVerbose: verbose).play(lanes)
            }
        }
        report(outcome)
        guard outcome.holds(ladder: ladder == .on) else { throw ExitCode.failure }
    }

    private func report(_ outcome: ChaosRun.Outcome) {
        print("seed \(seed), \(exchanges) exchanges, ladder \(ladder.rawValue), provider \(mode)\n")
        print(outcome.report.table)
        for result in outcome.report.violations {
            print("violation: trial \(result.trial.number) \(result.trial.fault.name) \(result.end): \(result.note)")
        }
        print(
            """

            presented twice undeclared \(outcome.presentedTwice), false verdicts \
            \(outcome.report.results.count { $0.end == .falseVerdict }), lost \(outcome.report.lost), \
            tenants that do not work at the end \(outcome.broken.count), tokens in logs \(outcome.tokensInLogs), \
            \(String(format: "%.0f", outcome.seconds)) s
            """
        )
    }
}
