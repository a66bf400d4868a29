import ArgumentParser
import FakePitchly
import Foundation
import Postgres
import TokenVault

/// Exchanges a second with so many in flight: tenants whose access tokens live a second, so that more is
/// due than can be done.
struct RateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "rate", abstract: "Exchanges a second of one worker.")

    @OptionGroup var stage: StageOptions
    @Option(help: "Exchanges at once.") var inFlight = 32
    @Option(help: "Seconds before the measurement.") var warmUp = 2.0
    @Option(help: "Seconds measured.") var seconds = 8.0

    func run() async throws {
        // Due again after about 0.6 s: three times what the latency lets through.
        let ceiling = Double(inFlight) / (Double(stage.latencyMilliseconds) / 1000)
        let tenants = max(100, Int(ceiling * 0.6 * 3))
        try await TokenStage.with(stage, tenants: tenants, accessTokenSeconds: 1) { stage in
            try await stage.sql(
                "insert into leasehold.schedule (name, kind, every_seconds) values ('all', 'bench.kind', 3600)"
            )
            let refresher = try await stage.refresher(
                exchangesAtOnce: inFlight,
                exchangesPerSecond: 10_000,
                burst: 10_000
            )
            try await stage.storeGrants(refresher.vault)
            try await stage.serving([refresher]) {
                try await Task.sleep(for: .seconds(warmUp))
                let before = try await Reading(stage, refresher)
                try await Task.sleep(for: .seconds(seconds))
                let after = try await Reading(stage, refresher)
                try report(after.since(before, ceiling: ceiling, stage))
            }
        }
    }

    private struct Reading {
        let at = ContinuousClock.now
        let exchanges: Int
        let roundTrips: Int
        let syncs: Int
        let walSyncs: Double
        let processor = processorSeconds()

        init(_ stage: TokenStage, _ refresher: TokenStage.Refresher) async throws {
            exchanges = stage.exchanged
            roundTrips = refresher.pool.roundTrips
            syncs = await refresher.spool.syncCount
            walSyncs = try await stage.number("select wal_sync::float8 from pg_stat_wal")
        }

        func since(_ before: Reading, ceiling: Double, _ stage: TokenStage) -> [String: Double] {
            let elapsed = (at - before.at) / .seconds(1)
            let count = Double(max(1, exchanges - before.exchanges))
            return [
                "exchanges_per_s": count / elapsed,
                "of_ceiling": count / elapsed / ceiling,
                "round_trips": Double(roundTrips - before.roundTrips) / count,
                "spool_syncs": Double(syncs - before.syncs) / count,
                "wal_syncs": (walSyncs - before.walSyncs) / count,
                "processor_ms": (processor - before.processor) * 1000 / count,
                "presented_twice": Double(stage.fake.totals.presentedTwice),
            ]
        }
    }
}
