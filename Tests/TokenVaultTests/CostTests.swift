import FakePitchly
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

/// What one exchange costs: round trips to the database, counted at its connections, and calls of
/// `fdatasync`, counted at the spool.
@Suite struct CostTests {
    private struct Cost: Equatable {
        var roundTrips: Int
        var syncs: Int
    }

    private func measured(
        _ vault: TokenVault,
        _ spool: DirectorySpool,
        _ body: () async throws -> Void
    ) async throws -> Cost {
        let before = Cost(roundTrips: vault.store.pool.roundTrips, syncs: await spool.syncCount)
        try await body()
        return Cost(
            roundTrips: vault.store.pool.roundTrips - before.roundTrips,
            syncs: await spool.syncCount - before.syncs
        )
    }

    @Test func theServicesExchangeTakesFourRoundTripsAndTwoSyncs() async throws {
        try await withVaultWorld { world in
            let spool = try await world.newSpool()
            let vault = try await world.vault(spool: spool)
            let tenant = TenantID.numbered(0)
            try await world.connect(tenant, vault)
            for round in 0..<6 {
                try await world.advance(by: .seconds(3100))
                try await world.sql("update leasehold.credential set refresh_requested_at = clock_timestamp()")
                let cost = try await measured(vault, spool) {
                    // One look for what is due, then intent, lock, save.
                    let batch = try await vault.store.takeDue(most: 1, settings: vault.settings)
                    let due = try #require(batch.due.first)
                    #expect(try await vault.tend(tenant, generation: due.generation) != nil)
                }
                // In the first round each statement is prepared.
                if round > 0 { #expect(cost == Cost(roundTrips: 4, syncs: 2)) }
            }
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aCallersExchangeTakesFourRoundTripsAndTwoSyncs() async throws {
        try await withVaultWorld { world in
            let spool = try await world.newSpool()
            let vault = try await world.vault(spool: spool, settings: { $0.cacheTime = .zero })
            let tenant = TenantID.numbered(0)
            try await world.connect(tenant, vault)
            for round in 0..<4 {
                try await world.advance(by: .seconds(3600))
                let cost = try await measured(vault, spool) { _ = try await vault.accessToken(for: tenant) }
                if round > 0 { #expect(cost == Cost(roundTrips: 4, syncs: 2)) }
            }
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aTokenInUseCostsOneRoundTripAndACachedOneNothing() async throws {
        try await withVaultWorld { world in
            let spool = try await world.newSpool()
            let vault = try await world.vault(spool: spool)
            let tenant = TenantID.numbered(0)
            try await world.connect(tenant, vault)
            for round in 0..<3 {
                vault.cache.forgetAll()
                let read = try await measured(vault, spool) { _ = try await vault.accessToken(for: tenant) }
                if round > 0 { #expect(read == Cost(roundTrips: 1, syncs: 0)) }
                let cached = try await measured(vault, spool) { _ = try await vault.accessToken(for: tenant) }
                #expect(cached == Cost(roundTrips: 0, syncs: 0))
            }
        }
    }
}
