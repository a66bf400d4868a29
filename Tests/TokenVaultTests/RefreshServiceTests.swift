import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@testable import TokenVault

@Suite struct RefreshServiceTests {
    private func due(_ world: VaultWorld, _ vault: TokenVault, most: Int = 100) async throws -> [TenantID] {
        try await vault.store.takeDue(most: most, settings: vault.settings).due.map(\.tenant)
    }

    private func want(_ world: VaultWorld) async throws {
        try await world.sql("update leasehold.credential set refresh_requested_at = clock_timestamp()")
    }

    private func connected(_ count: Int, _ world: VaultWorld, _ vault: TokenVault) async throws -> [TenantID] {
        let tenants = (0..<count).map(TenantID.numbered)
        for tenant in tenants { try await world.connect(tenant, vault) }
        return tenants
    }

    @Test func tenantsWithWaitingJobsGoFirst() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            let tenants = try await connected(10, world, vault)
            try await world.sql(
                "insert into leasehold.schedule (name, kind, every_seconds) values ('all', 'test.kind', 3600)"
            )
            for tenant in [tenants[7], tenants[3]] {
                try await world.sql("select leasehold.enqueue($1, 'test.kind')", tenant.rawValue)
            }
            try await world.advance(by: .seconds(3100))
            let first = try await due(world, vault, most: 2)
            #expect(Set(first) == [tenants[7], tenants[3]])
            // What was taken is out of sight, and the rest follows.
            #expect(Set(try await due(world, vault)) == Set(tenants).subtracting(first))
            #expect(try await due(world, vault).isEmpty)
        }
    }

    @Test func aTenantThatNobodyNeedsIsLeftAlone() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let tenants = try await connected(2, world, vault)
            try await world.advance(by: .seconds(3100))
            #expect(try await due(world, vault).isEmpty)
            // Somebody uses the token past its planned point: that is a need.
            #expect(try await vault.accessToken(for: tenants[1]).generation == 1)
            #expect(try await due(world, vault) == [tenants[1]])
            // Asked for, it is exchanged at once.
            try await world.advance(by: .seconds(3600))
            #expect(try await vault.accessToken(for: tenants[0]).generation == 2)
        }
    }

    @Test func theBucketBoundsAllWorkersTogether() async throws {
        try await withVaultWorld { world in
            let limited: (inout ProviderProfile) -> Void = {
                $0.exchangesPerSecond = 0.001
                $0.burst = 5
            }
            let (one, two) = (try await world.vault(profile: limited), try await world.vault(profile: limited))
            let connecting = try await world.vault(profile: limited)
            _ = try await connected(20, world, connecting)
            try await world.advance(by: .seconds(3100))
            try await want(world)
            try await world.sql("update leasehold.provider set bucket = 5, bucket_at = clock_timestamp()")
            let first = try await one.store.takeDue(most: 3, settings: one.settings)
            let second = try await two.store.takeDue(most: 30, settings: two.settings)
            #expect(first.due.count == 3)
            #expect(second.due.count == 2)
            #expect(Set(first.due.map(\.tenant)).isDisjoint(with: second.due.map(\.tenant)))
            let third = try await one.store.takeDue(most: 30, settings: one.settings)
            #expect(third.due.isEmpty)
            #expect(third.reason == "bucket")
            #expect(try #require(third.retryAfter) > .seconds(100))
        }
    }

    @Test func aServiceRotatesWhatIsDueAndEndsWithItsExchangesSettled() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            let tenants = try await connected(12, world, vault)
            try await world.advance(by: .seconds(3100))
            try await want(world)
            let service = RefreshService(vault: vault, logger: world.log.logger("refresh"))
            let group = ServiceGroup(services: [service], logger: world.log.logger("group"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                while world.fake.ledger().totals.succeeded["refresh_token"] ?? 0 < 12 { await Task.yield() }
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            #expect(vault.drain.runningCount == 0)
            try await world.expectHealthy(tenants)
            for tenant in tenants { #expect(try await world.value("generation", tenant, as: Int64.self) == 2) }
        }
    }

    @Test func aWorkerThatMayNotExchangeAsksThroughTheDatabase() async throws {
        try await withVaultWorld { world in
            let tenant = TenantID.numbered(0)
            let refreshing = try await world.vault()
            let asking = try await world.vault(
                exchange: Replies([]).exchange,
                settings: {
                    $0.mayExchange = false
                    $0.cacheTime = .zero
                }
            )
            try await world.connect(tenant, refreshing)
            try await world.advance(by: .seconds(3600))
            let service = RefreshService(vault: refreshing, logger: world.log.logger("refresh"))
            let group = ServiceGroup(services: [service], logger: world.log.logger("group"))
            try await withThrowingTaskGroup(of: Void.self) { tasks in
                tasks.addTask { try await group.run() }
                let token = try await asking.accessToken(for: tenant)
                #expect(token.generation == 2)
                #expect(world.fake.accepts(accessToken: token.token.reveal()))
                await group.triggerGracefulShutdown()
                try await tasks.waitForAll()
            }
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aNotificationNamesItsTenant() {
        #expect(RefreshService.tenant("saved t0") == TenantID.numbered(0))
        #expect(RefreshService.tenant("needs_authorization acme:eu") == TenantID(rawValue: "acme:eu"))
        #expect(RefreshService.tenant("saved") == nil)
    }
}
