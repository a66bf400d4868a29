import ArgumentParser
import FakePitchly
import Foundation
import LeaseholdCore
import TokenVault

/// Tenants with short-lived access tokens under constant use: how many calls of the API meet one that has
/// expired.
struct FreshCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "fresh",
        abstract: "API calls with short-lived tokens."
    )

    @OptionGroup var stage: StageOptions
    @Option(help: "Tenants, all in use.") var tenants = 1000
    @Option(help: "Lifetime of an access token in seconds.") var lifetime = 30
    @Option(help: "Seconds measured.") var seconds = 120.0
    @Option(help: "API calls a second.") var callsPerSecond = 1000.0

    private struct Calls {
        var made = 0
        var expired = 0
        var unavailable = 0
    }

    func run() async throws {
        try await TokenStage.with(stage, tenants: tenants, accessTokenSeconds: lifetime) { stage in
            try await stage.sql(
                "insert into leasehold.schedule (name, kind, every_seconds) values ('all', 'bench.kind', 3600)"
            )
            let refreshers = [
                try await stage.refresher(exchangesAtOnce: 16, exchangesPerSecond: 400, burst: 100),
                try await stage.refresher(exchangesAtOnce: 16, exchangesPerSecond: 400, burst: 100),
            ]
            try await stage.storeGrants(refreshers[0].vault)
            var made = Calls()
            try await stage.serving(refreshers) {
                while stage.exchanged < tenants { try await Task.sleep(for: .milliseconds(50)) }
                made = try await call(refreshers.map(\.vault), stage.fake)
            }
            try report([
                "api_calls": Double(made.made),
                "expired": Double(made.expired),
                "unavailable": Double(made.unavailable),
                "expired_share": Double(made.expired) / Double(max(1, made.made)),
                "exchanges": Double(stage.exchanged),
                "presented_twice": Double(stage.fake.totals.presentedTwice),
            ])
        }
    }

    /// Each tenant in turn, from either worker, at an even pace.
    private func call(_ vaults: [TokenVault], _ fake: FakePitchlyServer) async throws -> Calls {
        let started = ContinuousClock.now
        var calls = Calls()
        while ContinuousClock.now < started + .seconds(seconds) {
            let tenant = try TenantID("t\(calls.made % tenants)")
            do {
                let token = try await vaults[calls.made / tenants % vaults.count].accessToken(for: tenant)
                if !fake.accepts(accessToken: token.token.reveal()) { calls.expired += 1 }
            } catch is VaultError {
                calls.unavailable += 1
            }
            calls.made += 1
            try await Task.sleep(until: started + .seconds(Double(calls.made) / callsPerSecond))
        }
        return calls
    }
}
