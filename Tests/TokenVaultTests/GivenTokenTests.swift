import FakePitchly
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// Refresh tokens that a client gives may be rubbish: that is the client's affair, and no other tenant's.
@Suite struct GivenTokenTests {
    private let given = TenantID.numbered(0)
    private let other = TenantID.numbered(1)

    /// What all tenants share: whether anything of it has been touched.
    private func expectUntouched(_ world: VaultWorld, _ location: SourceLocation = #_sourceLocation) async throws {
        let row = try await world.sql(
            "select breaker = 'closed' and stop_reason is null and dead = 0 and unanswered = 0 from leasehold.provider"
        ).only
        #expect(try row.decode(0, as: Bool.self), sourceLocation: location)
    }

    @Test func aClientThatGivesManyBadTokensStopsNobodyElse() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(other, vault)
            let organization = try await world.addTenant(given)
            for number in 0..<20 {
                await #expect(throws: VaultError.self) {
                    try await vault.connect(
                        given,
                        with: .refreshToken(Secret("rubbish-\(number)")),
                        organization: organization
                    )
                }
            }
            #expect(world.fake.totals.posts == 21)
            try await expectUntouched(world)
            try await world.advance(by: .seconds(3600))
            #expect(try await vault.accessToken(for: other).generation == 2)
            // Nor is the tenant itself any worse off for the next good one.
            let grant = try world.fake.makeGrant(organization: organization)
            let token = try await vault.connect(
                given,
                with: .refreshToken(Secret(grant.refreshToken)),
                organization: organization
            )
            #expect(world.fake.accepts(accessToken: token.token.reveal()))
            try await world.expectHealthy([given, other])
        }
    }

    @Test func whatRubbishMakesAProviderSayStopsNobodyElse() async throws {
        try await withVaultWorld { world in
            let script: [Replies.Reply] = [
                .error("invalid_request"), .error("unauthorized_client"), .error("invalid_scope"), .status(400),
                .status(404, body: "<html>"), .error("no such token"),
            ]
            let replies = Replies(script + script)
            let vault = try await world.vault(exchange: replies.exchange, settings: { $0.shortPatience = .zero })
            try await world.addTenant(given)
            for number in 0..<replies.remaining {
                _ = try? await vault.connect(given, with: .refreshToken(Secret("rubbish-\(number)")))
            }
            #expect(replies.presented.count == script.count * 2)
            try await expectUntouched(world)
        }
    }

    @Test func aTokenThatHasBeenExchangedOnceIsNoLongerAClientsAffair() async throws {
        try await withVaultWorld { world in
            let replies = Replies((0..<5).map { .tokens(access: "a\($0)", refresh: "r\($0)") })
            let vault = try await world.vault(exchange: replies.exchange, settings: { $0.shortPatience = .zero })
            for number in 0..<5 {
                try await world.addTenant(.numbered(number))
                try await vault.connect(.numbered(number), with: .refreshToken(Secret("given-\(number)")))
            }
            try await world.advance(by: .seconds(3600))
            vault.cache.forgetAll()
            for number in 0..<5 {
                replies.add(.error("invalid_grant"))
                _ = try? await vault.accessToken(for: .numbered(number))
            }
            #expect(try await vault.inspector.providerStatus()?.breakerReason == "many refresh tokens refused at once")
        }
    }

    @Test func anOutageDoesNotCostTheTokensOfAllThatWereBroughtOverTogether() async throws {
        try await withVaultWorld { world in
            let replies = Replies(Array(repeating: .status(503), count: 20))
            let vault = try await world.vault(exchange: replies.exchange, settings: { $0.shortPatience = .zero })
            for number in 0..<12 {
                try await world.addTenant(.numbered(number))
                try await vault.storeRefreshToken(Secret("given-\(number)"), for: .numbered(number))
            }
            for number in 0..<12 { _ = try? await vault.accessToken(for: .numbered(number)) }
            #expect(replies.presented.count == 8, "the breaker spares the rest")
        }
    }
}
