import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

@Suite struct RotationTests {
    private let tenant = TenantID.numbered(0)

    @Test func aConnectedTenantHasAnAccessTokenThatTheProviderAccepts() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            let connected = try await world.connect(tenant, vault)
            let token = try await vault.accessToken(for: tenant)
            #expect(token == connected)
            #expect(token.generation == 1)
            #expect(world.fake.accepts(accessToken: token.token.reveal()))
            try await world.expectHealthy([tenant])
        }
    }

    @Test func anExpiringTokenIsExchangedOnceAndTheRowHoldsTheSuccessor() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            for generation in 2...6 {
                try await world.advance(by: .seconds(3600))
                let token = try await vault.accessToken(for: tenant)
                #expect(token.generation == Int64(generation))
                #expect(world.fake.accepts(accessToken: token.token.reveal()))
            }
            #expect(world.fake.ledger().totals.succeeded["refresh_token"] == 5)
            try await world.expectHealthy([tenant])
            let previous = try await world.value("previous_generation", tenant, as: Int64.self)
            #expect(previous == 5)
        }
    }

    @Test func aHundredCallersOfTwoVaultsMakeOneExchange() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let vaults = [try await world.vault(), try await world.vault()]
            try await world.connect(tenant, vaults[0])
            for vault in vaults { vault.cache.forgetAll() }
            try await world.advance(by: .seconds(3600))
            var rule = FaultRule(.hold(gate, .before), at: .token)
            rule.grant = .refreshToken
            rule.count = nil
            world.fake.faults.add(rule)
            let tokens = try await withThrowingTaskGroup(of: AccessToken.self) { group in
                for caller in 0..<100 {
                    group.addTask { try await vaults[caller % 2].accessToken(for: tenant) }
                }
                await gate.arrivals(1)
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(tokens.count == 100)
            #expect(Set(tokens.map(\.token.fakeText)).count == 1)
            #expect(world.fake.ledger().totals.succeeded["refresh_token"] == 1)
            #expect(world.fake.ledger().totals.maxInFlight == 1)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func callersHoldOneWaitingConnectionATenant() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let owner = try await world.vault()
            let waiter = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, owner)
            try await world.advance(by: .seconds(3600))
            world.fake.faults.add(FaultRule(.hold(gate, .before), at: .token))
            owner.cache.forgetAll()
            async let first = owner.accessToken(for: tenant)
            await gate.arrivals(1)
            try await withThrowingTaskGroup(of: AccessToken.self) { group in
                for _ in 0..<50 { group.addTask { try await waiter.accessToken(for: tenant) } }
                while waiter.flights.waiterCount(tenant) < 50 { await Task.yield() }
                #expect(waiter.store.pool.leasedCount <= 1)
                gate.open()
                for try await token in group { #expect(token.generation == 2) }
            }
            _ = try await first
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aWaiterWhosePatienceEndsPresentsNothing() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let owner = try await world.vault()
            let waiter = try await world.vault(
                profile: { $0.deadline = .seconds(1) },
                settings: {
                    $0.cacheTime = .zero
                    $0.patience = .seconds(1)
                }
            )
            try await world.connect(tenant, owner)
            try await world.advance(by: .seconds(3600))
            owner.cache.forgetAll()
            world.fake.faults.add(FaultRule(.hold(gate, .after), at: .token))
            async let first = owner.accessToken(for: tenant)
            await gate.arrivals(1)
            let error = await #expect(throws: VaultError.self) { _ = try await waiter.accessToken(for: tenant) }
            #expect(error?.label == "token_unavailable")
            #expect(world.fake.totals.posts == 2, "the connection and the owner's exchange")
            gate.open()
            #expect(try await first.generation == 2)
            #expect(try await waiter.accessToken(for: tenant).generation == 2)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aCallerThatIsCancelledLeavesAtOnceAndTheExchangeGoesOn() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let vault = try await world.vault()
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            vault.cache.forgetAll()
            world.fake.faults.add(FaultRule(.hold(gate, .after), at: .token))
            let caller = Task { try await vault.accessToken(for: tenant) }
            await gate.arrivals(1)
            caller.cancel()
            await #expect(throws: CancellationError.self) { try await caller.value }
            gate.open()
            await vault.drain.drained()
            try await world.expectHealthy([tenant])
            #expect(try await world.value("generation", tenant, as: Int64.self) == 2)
        }
    }

    @Test func aShutdownWaitsForTheExchangeUnderWay() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let vault = try await world.vault()
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            vault.cache.forgetAll()
            world.fake.faults.add(FaultRule(.hold(gate, .after), at: .token))
            async let caller: Void = { _ = try? await vault.accessToken(for: tenant) }()
            await gate.arrivals(1)
            async let end: Void = vault.shutDown()
            gate.open()
            await end
            #expect(vault.drain.runningCount == 0)
            await caller
            try await world.expectHealthy([tenant])
            await #expect(throws: VaultError.self) {
                vault.cache.forgetAll()
                _ = try await vault.accessToken(for: tenant)
            }
        }
    }

    @Test func aRefusedTokenIsReplacedOnlyIfItIsStillTheCurrentOne() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.youngRefusal = .zero })
            try await world.connect(tenant, vault)
            let second = try await vault.accessToken(for: tenant, replacing: 1)
            #expect(second.generation == 2)
            // A slower job reports the same refusal.
            #expect(try await vault.accessToken(for: tenant, replacing: 1) == second)
            #expect(world.fake.ledger().totals.succeeded["refresh_token"] == 1)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func anAPIThatRefusesEverythingBurnsNoRefreshTokens() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: {
                $0.youngRefusal = .seconds(60)
                $0.shortPatience = .zero
            })
            try await world.connect(tenant, vault)
            let error = await #expect(throws: VaultError.self) {
                _ = try await vault.accessToken(for: tenant, replacing: 1)
            }
            guard case .temporarilyUnavailable(let delay)? = error?.reason else {
                Issue.record("expected a wait, got \(String(describing: error))")
                return
            }
            #expect(delay > .seconds(50))
            #expect(world.fake.ledger().totals.succeeded["refresh_token"] == nil)
        }
    }

    @Test func aReplyWithoutARefreshTokenKeepsTheOldOne() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            let before = try await world.storedRefreshToken(tenant)
            let replies = Replies([.tokens(access: "plain-access", refresh: nil)])
            let other = try await world.vault(exchange: replies.exchange)
            #expect(try await other.accessToken(for: tenant).token.fakeText == "plain-access")
            #expect(try await world.storedRefreshToken(tenant) == before)
            #expect(try await world.value("generation", tenant, as: Int64.self) == 2)
        }
    }

    @Test func aReplyWithoutAnAccessTokenStillRotates() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            world.fake.faults.add(FaultRule(.tokenReply(.withoutAccessToken), at: .token))
            let token = try await vault.accessToken(for: tenant)
            // The first exchange brought only a refresh token, so another followed with it.
            #expect(token.generation == 3)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aTenantThatWasNeverConnectedIsAClearError() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            try await world.addTenant(tenant)
            let error = await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(error?.reason == .noCredential)
            #expect(error?.hint == "leasehold tenants connect t0")
        }
    }
}

extension Secret {
    /// The tokens of fakes are nobody's secrets.
    var fakeText: String { reveal() }
}
