import ArgumentParser
import FakePitchly
import FaultKit
import Foundation
import Logging
import TestSupport

/// Exchanges under random faults against the real program: worker processes, PostgreSQL, proxies and a
/// provider over HTTP. The exit status says whether the promises were kept.
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
    var provider = "revoke"

    @Option(help: "Tenants, each with one exchange at a time.")
    var tenants = 160

    @Option(
        help: """
            Worker processes. Default 6, each with up to four exchanges at a time; with --ladder off 12 with one \
            each, because a loss must be the doing of the exchange's own fault and not of another's.
            """
    )
    var workers: Int?

    @Option(
        help: "Breaks a promise from outside, to see that the run fails: spool, memory (with --ladder off) or grace."
    )
    var sabotage: Sabotage?

    @Flag(help: "The report as JSON.")
    var json = false

    @Flag(help: "Says on standard error how every exchange ended.")
    var verbose = false

    enum Switch: String, ExpressibleByArgument, CaseIterable {
        case on
        case off
    }

    func run() async throws {
        let plan = try plan()
        let lanes = TrialPlan(exchanges: exchanges, seed: seed).lanes(plan.tenants)
        var logger = Logger(label: "chaos", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = .error
        let isVerbose = verbose
        let settings = ["max_connections": "200"]
        let tell: @Sendable (TrialResult) -> Void = { if isVerbose { Self.tell($0) } }
        let promotes = promotes
        let report = try await withPrivatePostgres(settings: settings) { server in
            try await FaultStage.withStage(plan, on: server, logger: logger) { stage in
                guard promotes else { return try await ChaosRun(stage, tell: tell).play(lanes) }
                return try await server.withStandby(settings: settings) { standby in
                    try await ChaosRun(stage, promoting: standby, tell: tell).play(lanes)
                }
            }
        }
        if json { try printJSON(report) } else { printTable(report) }
        guard report.holds(mayLose: ladder == .off) else { throw ExitCode.failure }
    }

    /// Halfway, a standby takes over that has missed the last commits. Not where grants of persons may be
    /// among those.
    private var promotes: Bool { ladder == .on && sabotage == nil }

    private func plan() throws -> FaultStage.Plan {
        guard let rotation = RotationMode(provider) else {
            throw ValidationError("expected --provider to be strict, revoke or grace:SECONDS, got \"\(provider)\"")
        }
        guard exchanges > 0, tenants > 0, (1...20).contains(workers ?? 1) else {
            throw ValidationError("expected --exchanges and --tenants above 0 and --workers from 1 to 20")
        }
        var plan = FaultStage.Plan()
        plan.tenants = min(tenants, exchanges)
        plan.workers = workers ?? (ladder == .on ? 6 : 12)
        plan.exchangesPerWorker = ladder == .on ? 4 : 1
        plan.rotation = rotation
        plan.allowsAccessTokenExchange = ladder == .on
        // A verdict waits for the end of the access token.
        plan.accessTokenSeconds = ladder == .on && sabotage == nil ? 3600 : 30
        if case .grace(let seconds) = rotation { plan.graceSeconds = seconds }
        plan.sabotage = sabotage
        return plan
    }

    private static func tell(_ result: TrialResult) {
        let seconds = String(format: "%.1f", result.seconds)
        let line =
            "\(result.trial.number) \(result.trial.fault.name): \(result.end.rawValue) by \(result.rung ?? "-"), "
            + "\(seconds) s\n"
        FileHandle.standardError.write(Data(line.utf8))
    }

    private func printTable(_ report: ChaosReport) {
        print(
            "\(exchanges) exchanges, seed \(seed), ladder \(ladder.rawValue), provider \(provider), "
                + "\(String(format: "%.0f", report.seconds)) s\n"
        )
        print(report.table, terminator: "\n\n")
        for violation in report.violations.prefix(20) { print("violation: \(violation)") }
        if promotes { print("halfway a standby took over that had missed the commits of half a second") }
        if report.violations.count > 20 { print("and \(report.violations.count - 20) more; --json has them all") }
        if !report.broken.isEmpty { print("without a working token: \(report.broken.joined(separator: " "))") }
        if report.hasLoggedSecrets { print("a token or secret stands in a log") }
        print(report.holds(mayLose: ladder == .off) ? "every promise was kept" : "a promise was broken")
    }

    private func printJSON(_ report: ChaosReport) throws {
        struct Output: Encodable {
            let exchanges: Int
            let seed: UInt64
            let ladder: String
            let provider: String
            let holds: Bool
            let report: ChaosReport
        }
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        let output = Output(
            exchanges: exchanges,
            seed: seed,
            ladder: ladder.rawValue,
            provider: provider,
            holds: report.holds(mayLose: ladder == .off),
            report: report
        )
        print(String(decoding: try encoder.encode(output), as: UTF8.self))
    }
}

extension Sabotage: ExpressibleByArgument {}
