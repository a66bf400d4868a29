import FakePitchly
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// What happens when everybody fell due during a downtime, in time that passes by hand.
/// `scripts/bench storm` does it with 10 000 tenants.
@Suite struct StormTests {
    private static let tenants = 240
    private static let urgent = 24
    private static let perSecond = 40

    /// The bucket gives next to nothing in real time, and all it may hold at every second that is passed
    /// by hand.
    private func passSecond(_ world: VaultWorld) async throws {
        try await world.sql("update leasehold.provider set bucket_at = bucket_at - interval '1 day'")
    }

    @Test(.timeLimit(.minutes(4)))
    func afterADowntimeTheBucketHoldsTenantsWithJobsGoFirstAndAllAreFreshInTheEnd() async throws {
        try await withVaultWorld {
            $0.data.organizations = Self.tenants
            $0.data.largeOrganizations = 0
        } _: { world in
            let storm = try await storm(world)
            try await storm.serving {
                for second in 1...(Self.tenants / Self.perSecond) {
                    try await storm.pass { world.fake.totals.posts >= second * Self.perSecond }
                    // Not one more than the bucket gave.
                    #expect(world.fake.totals.posts == second * Self.perSecond)
                    // In the first second there is no more than for them and a few others.
                    #expect(try await waitingOnes(world) == 0)
                    try await passSecond(world)
                }
            }
            #expect(world.fake.totals.posts == Self.tenants)
            #expect(world.fake.totals.presentedTwice == 0)
            let fresh = try await world.sql(
                """
                select count(*) from leasehold.credential
                where generation = 2 and access_expires_at > clock_timestamp() + interval '50 minutes'
                """
            ).only.decode(0, as: Int64.self)
            #expect(fresh == Int64(Self.tenants))
        }
    }

    /// Three workers with four slots each.
    private func storm(_ world: VaultWorld) async throws -> LapsedTime {
        let clock = TestClock()
        var vaults: [TokenVault] = []
        for _ in 0..<3 {
            vaults.append(
                try await world.vault(
                    clock: clock,
                    profile: {
                        $0.exchangesPerSecond = 0.001
                        $0.burst = Self.perSecond
                    }
                )
            )
        }
        let storm = LapsedTime(world: world, clock: clock, vaults: vaults)
        try await storm.storeGrants(Self.tenants)
        try await world.sql(
            "update leasehold.credential set refresh_due_at = refresh_due_at - interval '2 hours'"
        )
        // Not those that have been due longest.
        try await world.sql(
            "select count(leasehold.enqueue('t' || i * 9 + 8, 'test.kind')) from generate_series(0, $1::int - 1) i",
            Int32(Self.urgent)
        )
        return storm
    }

    /// How many of the tenants with waiting jobs have no new token yet.
    private func waitingOnes(_ world: VaultWorld) async throws -> Int64 {
        try await world.sql(
            """
            select count(*) from leasehold.credential
            where generation = 1 and tenant_id in (select tenant_id from leasehold.job)
            """
        ).only.decode(0, as: Int64.self)
    }
}
