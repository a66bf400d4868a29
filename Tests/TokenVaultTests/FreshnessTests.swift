import FakePitchly
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// Access tokens of 30 seconds under constant use for two minutes, in time that passes by hand: no call
/// meets one that has expired. `scripts/bench fresh` does it with 1 000 tenants in real time.
@Suite struct FreshnessTests {
    private static let tenants = 24

    @Test(.timeLimit(.minutes(4)))
    func noCallOfTheAPIMeetsAnExpiredToken() async throws {
        try await withVaultWorld {
            $0.oauth.accessTokenSeconds = 30
        } _: { world in
            let clock = TestClock()
            let vaults = [try await world.vault(clock: clock), try await world.vault(clock: clock)]
            let time = LapsedTime(world: world, clock: clock, vaults: vaults)
            try await time.storeGrants(Self.tenants)
            var refused = 0
            var lapsed = 0
            try await time.serving {
                try await time.pass { try await nothingIsDue(world) }
                let start = ContinuousClock.now
                var last = start
                for second in 0..<120 {
                    try await world.advance(by: .seconds(1))
                    world.fake.clock.advance(by: .seconds(1))
                    // The database and the provider live through what this loop takes as well.
                    let now = ContinuousClock.now
                    clock.advance(by: .seconds(1) + last.duration(to: now))
                    last = now
                    try await time.pass { try await nothingIsDue(world) }
                    for index in 0..<Self.tenants {
                        let token = try await vaults[second % 2].accessToken(for: .numbered(index))
                        if !world.fake.accepts(accessToken: token.token.reveal()) { refused += 1 }
                    }
                }
                lapsed = 120 + Int(start.duration(to: last).seconds)
            }
            #expect(refused == 0)
            let exchanges = try #require(world.fake.totals.succeeded["refresh_token"])
            // Each about every 19 s: none was refreshed at every look, and nobody waited for the end.
            #expect((Self.tenants * 120 / 26...Self.tenants * lapsed / 12).contains(exchanges - Self.tenants))
            try await world.expectHealthy((0..<Self.tenants).map(TenantID.numbered))
        }
    }

    private func nothingIsDue(_ world: VaultWorld) async throws -> Bool {
        try await world.sql("select count(*) from leasehold.credential where refresh_due_at <= clock_timestamp()").only
            .decode(0, as: Int64.self) == 0
    }
}
