import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

/// The rungs of the ladder, against the fake over real HTTP.
@Suite struct RecoveryTests {
    private let tenant = TenantID.numbered(0)

    /// A connected tenant whose first rotation met `fault`; 45 minutes into an hour's token.
    private func withSuspect<R>(
        _ fault: Fault,
        rotation: RotationMode = .strict,
        profile: ProviderProfile = ProviderProfile(),
        _ body: (VaultWorld, TokenVault) async throws -> R
    ) async throws -> R {
        try await withVaultWorld {
            $0.oauth.rotation = rotation
        } _: { world in
            let vault = try await world.vault(
                profile: {
                    $0.grace = profile.grace
                    $0.allowsAccessTokenExchange = profile.allowsAccessTokenExchange
                    $0.allowsClientCredentials = profile.allowsClientCredentials
                },
                settings: {
                    $0.cacheTime = .zero
                    $0.shortPatience = .zero
                }
            )
            try await world.connect(tenant, vault)
            var rule = FaultRule(fault, at: .token)
            rule.grant = .refreshToken
            world.fake.faults.add(rule)
            try await world.advance(by: .seconds(2700))
            _ = try await vault.tend(tenant, generation: 1)
            return try await body(world, vault)
        }
    }

    private func profile(_ change: (inout ProviderProfile) -> Void) -> ProviderProfile {
        var profile = ProviderProfile()
        change(&profile)
        return profile
    }

    private func state(_ world: VaultWorld) async throws -> String {
        try await world.value("state", tenant, as: String.self)
    }

    private func succeeded(_ world: VaultWorld, _ grant: String) -> Int {
        world.fake.ledger().totals.succeeded[grant] ?? 0
    }

    /// Also where a second presentation would kill the whole family, the access token with it.
    @Test(arguments: [RotationMode.strict, .revokeFamilyOnReuse])
    func aLostReplyIsRecoveredByTheAccessTokenAndNobodyNotices(rotation: RotationMode) async throws {
        try await withSuspect(.close(.after, isReset: true), rotation: rotation) { world, vault in
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == "ambiguous")
            // The old access token serves meanwhile.
            #expect(try await vault.accessToken(for: tenant).generation == 1)
            guard case .waiting(let delay) = try await vault.recover(tenant) else {
                Issue.record("the ladder did not wait for the intent's deadline")
                return
            }
            #expect(delay > .seconds(100))
            try await world.advance(by: delay + .milliseconds(5))
            guard case .saved = try await vault.recover(tenant) else {
                Issue.record("the access token was not exchanged")
                return
            }
            #expect(succeeded(world, "access_token") == 2)
            #expect(try await world.value("generation", tenant, as: Int64.self) == 2)
            #expect(
                try await vault.inspector.history(of: tenant).map(\.rung) == ["access_token", "refresh", "connect"]
            )
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aTokenThatWasNeverProcessedIsFoundByTheLateProbe() async throws {
        try await withSuspect(
            .answer(.init(status: 503), .before),
            profile: profile { $0.allowsAccessTokenExchange = false }
        ) { world, vault in
            guard case .waiting(let delay) = try await vault.recover(tenant) else {
                Issue.record("expected to wait")
                return
            }
            // Shortly before the access token expires: 900 s of it are left.
            #expect((Duration.seconds(800)...Duration.seconds(840)).contains(delay))
            try await world.advance(by: delay + .milliseconds(5))
            guard case .saved = try await vault.recover(tenant) else {
                Issue.record("expected the probe to bring a successor")
                return
            }
            let history = try await vault.inspector.history(of: tenant)
            #expect(history.map(\.rung) == ["late_probe", "refresh", "connect"])
            // Presented twice, as declared: the first time it was not processed.
            try await world.expectHealthy([tenant], presentedTwice: 1)
        }
    }

    @Test func aLostReplyWithoutAnyOtherGrantNeedsAPerson() async throws {
        try await withSuspect(
            .close(.after, isReset: true),
            profile: profile { $0.allowsAccessTokenExchange = false }
        ) { world, vault in
            try await world.advance(by: .seconds(850))
            // The probe is refused, and nothing can turn up any more.
            _ = try await vault.recover(tenant)
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == "dead")
            #expect(try await state(world) == "needs_authorization")
            let error = await #expect(throws: VaultError.self) {
                try await world.advance(by: .seconds(60))
                _ = try await vault.accessToken(for: tenant)
            }
            #expect(error?.reason == .needsAuthorization)
            #expect(error?.hint == "leasehold tenants connect t0")
            let events = try await vault.inspector.events(of: tenant)
            #expect(events.map(\.kind) == ["needs_authorization", "connected"])
            // Nothing is presented any more, however often somebody asks.
            let posts = world.fake.ledger().totals.posts
            _ = try? await vault.accessToken(for: tenant)
            _ = try await vault.recover(tenant)
            #expect(world.fake.ledger().totals.posts == posts)
        }
    }

    @Test func insideAKnownGraceTheSameTokenIsReplayedAtOnce() async throws {
        try await withSuspect(
            .close(.after, isReset: true),
            rotation: .grace(seconds: 30),
            profile: profile { $0.grace = .seconds(30) }
        ) { world, vault in
            // `tend` has climbed the ladder already.
            #expect(try await world.value("generation", tenant, as: Int64.self) == 2)
            #expect(try await vault.inspector.history(of: tenant).map(\.rung) == ["replay", "refresh", "connect"])
            try await world.expectHealthy([tenant], presentedTwice: 1)
        }
    }

    @Test func theOrganisationsIdRenewsACredentialThatLostItsRefreshToken() async throws {
        try await withSuspect(
            .close(.after, isReset: true),
            profile: profile {
                $0.allowsAccessTokenExchange = false
                $0.allowsClientCredentials = true
            }
        ) { world, vault in
            try await world.advance(by: .seconds(200))
            guard case .saved = try await vault.recover(tenant) else {
                Issue.record("expected client_credentials to bring a token")
                return
            }
            #expect(succeeded(world, "client_credentials") == 1)
            #expect(try await world.value("renewed_by", tenant, as: String.self) == "client_credentials")
            // And so it goes on.
            try await world.advance(by: .seconds(3600))
            #expect(try await vault.accessToken(for: tenant).generation == 3)
            #expect(succeeded(world, "client_credentials") == 2)
            #expect(world.fake.ledger().totals.presentedTwice == 0)
        }
    }

    @Test func aRevokedGrantIsGivenUpOnlyAfterEveryRung() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: {
                $0.cacheTime = .zero
                $0.shortPatience = .zero
            })
            let organization = try await world.addTenant(tenant)
            try await world.connect(tenant, vault)
            world.fake.revokeGrants(organization: organization)
            try await world.advance(by: .seconds(2700))
            _ = try await vault.tend(tenant, generation: 1)
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == "dead")
            #expect(try await state(world) == "active")
            try await world.advance(by: .seconds(31))
            _ = try await vault.recover(tenant)
            #expect(try await world.value("rungs_tried", tenant, as: [String].self) == ["access_token"])
            #expect(try await state(world) == "active")
            try await world.advance(by: .seconds(850))
            _ = try await vault.recover(tenant)
            #expect(try await state(world) == "needs_authorization")
            #expect(
                try await vault.inspector.history(of: tenant).map(\.outcome) == ["dead", "refused", "dead", "saved"]
            )
        }
    }

    @Test func theVerdictParksTheTenantsJobsAndConnectingResumesThem() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: {
                $0.cacheTime = .zero
                $0.shortPatience = .zero
            })
            let organization = try await world.addTenant(tenant)
            try await world.connect(tenant, vault)
            try await world.sql("select leasehold.enqueue('t0', 'test.kind')")
            world.fake.revokeGrants(organization: organization)
            try await world.advance(by: .seconds(2700))
            _ = try await vault.tend(tenant, generation: 1)
            for delay in [31.0, 850, 31] {
                try await world.advance(by: .seconds(delay))
                _ = try await vault.recover(tenant)
            }
            let job = "select state, attempt from leasehold.job"
            #expect(try await state(world) == "needs_authorization")
            let parked = try await world.sql(job).only.decode((String, Int16).self)
            #expect(parked == ("parked", 0))
            let token = try await world.connect(tenant, vault)
            #expect(token.generation == 2)
            #expect(try await vault.accessToken(for: tenant) == token)
            let resumed = try await world.sql(job).only.decode((String, Int16).self)
            #expect(resumed == ("ready", 0))
            let archived = try await world.sql("select generation, reason from leasehold.credential_archive").only
                .decode((Int64, String).self)
            #expect(archived == (1, "reconnected"))
            #expect(
                try await vault.inspector.events(of: tenant).map(\.kind) == [
                    "connected", "needs_authorization", "connected",
                ]
            )
        }
    }

    @Test func aSuccessorThatTurnsUpLaterBeatsTheVerdict() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            let before = try await world.sql("select credential::text from leasehold.credential").only
                .decode(0, as: String.self)
            try await world.advance(by: .seconds(3600))
            let good = try await vault.accessToken(for: tenant)
            // The commit is lost with the primary, and a verdict is given before the spool is read.
            try await world.sql("delete from leasehold.credential")
            try await world.sql(
                "insert into leasehold.credential select * from jsonb_populate_record(null::leasehold.credential, "
                    + "to_jsonb($1::leasehold.credential))",
                before
            )
            try await world.sql(
                """
                update leasehold.credential set state = 'needs_authorization',
                    needs_authorization_at = clock_timestamp(), refresh_due_at = null
                """
            )
            #expect(try await vault.replaySpools() == 1)
            #expect(try await state(world) == "active")
            #expect(try await vault.accessToken(for: tenant).token == good.token)
            #expect(try await vault.inspector.events(of: tenant).first?.kind == "recovered")
            try await world.expectHealthy([tenant])
        }
    }
}
