import FakePitchly
import Foundation
import LeaseholdCore
import Pitchly
import Postgres
import Testing

@testable import TokenVault

@Suite struct ConnectTests {
    private let tenant = TenantID.numbered(0)

    @Test func byASessionsAccessToken() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            try await world.connect(tenant, vault)
            let status = try #require(try await vault.inspector.status(of: tenant))
            #expect(status.connectedBy == "access_token")
            #expect(status.renewedBy == "refresh_token")
            #expect(status.organization == world.organization(of: tenant))
            try await world.expectHealthy([tenant])
        }
    }

    @Test func byAnAuthorizationCodeWithItsVerifier() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            let organization = try await world.addTenant(tenant)
            let proof = ProofKey()
            let (code, redirect) = try world.fake.makeCode(
                organization: organization,
                codeChallenge: proof.challenge
            )
            try await vault.connect(
                tenant,
                with: .authorizationCode(code: Secret(code), codeVerifier: proof.verifier, redirectURI: redirect)
            )
            #expect(try await vault.inspector.status(of: tenant)?.connectedBy == "authorization_code")
            try await world.expectHealthy([tenant])
        }
    }

    @Test func byAnExistingRefreshTokenWhichIsStoredBeforeItIsPresented() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            let organization = try await world.addTenant(tenant)
            let given = try world.fake.makeGrant(organization: organization).refreshToken
            world.fake.faults.add(FaultRule(.answer(.init(status: 429), .before), at: .token))
            // Throttled at first: the token is kept, and the tenant is connected.
            await #expect(throws: VaultError.self) {
                try await vault.connect(tenant, with: .refreshToken(Secret(given)), organization: organization)
            }
            #expect(try await world.storedRefreshToken(tenant) == given)
            try await world.advance(by: .seconds(60))
            #expect(try await vault.accessToken(for: tenant).generation == 2)
            #expect(try await vault.inspector.status(of: tenant)?.connectedBy == "refresh_token")
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aRefreshTokenThatIsDeadIsRefusedAtOnce() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.shortPatience = .zero })
            try await world.addTenant(tenant)
            let error = await #expect(throws: VaultError.self) {
                try await vault.connect(tenant, with: .refreshToken(Secret("never-given-out")))
            }
            #expect(error?.reason == .connectRefused)
        }
    }

    @Test func byClientCredentialsWithoutAnyRefreshToken() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let organization = try await world.addTenant(tenant)
            let first = try await vault.connect(tenant, with: .clientCredentials(organization: organization))
            #expect(world.fake.accepts(accessToken: first.token.reveal()))
            #expect(try await world.value("refresh_token is null", tenant, as: Bool.self))
            try await world.advance(by: .seconds(3600))
            // A lost reply costs nothing: the organisation's id is not spent.
            world.fake.faults.add(FaultRule(.close(.after, isReset: true), at: .token))
            let second = try await vault.accessToken(for: tenant)
            #expect(second.generation == 2)
            #expect(try await vault.inspector.history(of: tenant).map(\.outcome) == ["saved", "ambiguous", "saved"])
            #expect(try await world.value("suspect_reason is null", tenant, as: Bool.self))
        }
    }

    @Test func whatIsRefusedLeavesTheCredentialAsItWas() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let first = try await world.connect(tenant, vault)
            let error = await #expect(throws: VaultError.self) {
                try await vault.connect(tenant, with: .accessToken(Secret("not-a-session")))
            }
            #expect(error?.reason == .connectRefused)
            #expect(try await vault.accessToken(for: tenant) == first)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aLostFirstReplyIsReportedAndChangesNothing() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let organization = try await world.addTenant(tenant)
            world.fake.faults.add(FaultRule(.close(.after, isReset: true), at: .token))
            let session = Secret(try world.fake.makeSession(organization: organization))
            let error = await #expect(throws: VaultError.self) {
                try await vault.connect(tenant, with: .accessToken(session))
            }
            #expect(error?.reason == .connectUnknown)
            #expect(try await vault.inspector.status(of: tenant)?.state == "empty")
            // The intent is closed: the person connects again at once.
            try await world.connect(tenant, vault)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aFirstReplyWhoseCommitIsLostIsReplayed() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let token = try await world.connect(tenant, vault)
            try await world.sql("delete from leasehold.credential")
            try await world.sql("insert into leasehold.credential (tenant_id, provider) values ('t0', 'pitchly')")
            #expect(try await vault.replaySpools() == 1)
            #expect(try await vault.accessToken(for: tenant).token == token.token)
            #expect(try await vault.inspector.status(of: tenant)?.connectedBy == "access_token")
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aGrantWithoutARefreshTokenIsRefused() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(exchange: Replies([.tokens(access: "a", refresh: nil)]).exchange)
            try await world.addTenant(tenant)
            let error = await #expect(throws: VaultError.self) {
                try await vault.connect(tenant, with: .accessToken(Secret("session")))
            }
            #expect(error?.message.contains("no_refresh_token") == true)
            #expect(try await vault.inspector.status(of: tenant)?.state == "empty")
        }
    }

    @Test func anUnknownTenantIsAClearError() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            for grant in [TokenGrant.accessToken(Secret("s")), .refreshToken(Secret("r"))] {
                let error = await #expect(throws: VaultError.self) { try await vault.connect(tenant, with: grant) }
                #expect(error?.reason == .noTenant)
                #expect(error?.hint == "leasehold tenants add t0")
            }
            #expect(world.fake.ledger().totals.posts == 0)
        }
    }

    @Test func theGenerationGoesOnOverConnections() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            for generation in 1...4 {
                #expect(try await world.connect(tenant, vault).generation == Int64(generation))
            }
            try await world.expectHealthy([tenant])
        }
    }
}
