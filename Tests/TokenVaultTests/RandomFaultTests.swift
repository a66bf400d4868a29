import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

/// Random faults over real vaults, a real database and the fake's real HTTP: whatever happens, nothing
/// is presented twice but for declared probes, and nobody is given up whose token is still in hand.
/// One operation at a time, so that a seed repeats its run.
@Suite struct RandomFaultTests {
    private static let tenantCount = 5
    private let tenants = (0..<Self.tenantCount).map(TenantID.numbered)

    @Test(arguments: [1, 2, 3] as [UInt64])
    func theInvariantsHoldUnderRandomFaults(seed: UInt64) async throws {
        let random = RandomSource(seed: seed)
        try await withVaultWorld {
            $0.oauth.accessTokenSeconds = 600
        } _: { world in
            let vaults = [try await vault(world, random), try await vault(world, random)]
            for tenant in tenants { try await world.connect(tenant, vaults[0]) }
            for _ in 0..<120 {
                if random.chance(0.25) { addFault(random, to: world.fake) }
                try await pass(.seconds(random.uniform(in: 10...30)), in: world)
                try await serve(vaults[Int(random.next() % 2)])
                try await checkVerdicts(world)
            }
            world.fake.faults.removeAll()
            for _ in 0..<40 {
                try await pass(.seconds(20), in: world)
                try await serve(vaults[0])
            }
            try await checkEnd(world, vaults[0])
        }
    }

    private func vault(_ world: VaultWorld, _ random: RandomSource) async throws -> TokenVault {
        try await world.vault(
            profile: {
                $0.deadline = .seconds(10)
                $0.serverTimeLimit = .seconds(10)
            },
            settings: {
                $0.cacheTime = .zero
                $0.shortPatience = .zero
            },
            faultHook: { point, _ in
                // The session that holds the row dies, now and then, at any moment of the exchange.
                guard point == .rowHeld || point == .replied || point == .parsed, random.chance(0.05) else { return }
                _ = try? await world.sql(
                    """
                    select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and state = 'idle in transaction'
                    """
                )
            }
        )
    }

    private func addFault(_ random: RandomSource, to fake: FakePitchlyServer) {
        let faults: [Fault] = [
            .close(.before, isReset: true), .close(.after, isReset: true), .close(.after, isReset: false),
            .answer(.init(status: 503), .before), .answer(.init(status: 503), .after),
            .answer(.init(status: 502, body: .html), .after), .answer(.init(status: 403, body: .html), .before),
            .answer(.init(status: 429, retryAfter: .seconds(20)), .before),
            .cut(.body(after: Int(random.next() % 200))), .cut(.message(after: Int(random.next() % 60))),
            .tokenReply(.malformedJSON), .tokenReply(.withoutAccessToken), .tokenReply(.extraMembers),
            .tokenReply(.expiresIn(nil)),
        ]
        fake.faults.add(FaultRule(faults[Int(random.next() % UInt64(faults.count))], at: .token))
    }

    private func pass(_ time: Duration, in world: VaultWorld) async throws {
        try await world.advance(by: time)
        world.fake.clock.advance(by: time)
    }

    /// What the refresh service does, one credential after the other.
    private func serve(_ vault: TokenVault) async throws {
        try await vault.replaySpools()
        try await vault.store.pool.withConnection { connection in
            _ = try await connection.query(
                sql: "update leasehold.credential set refresh_requested_at = clock_timestamp() where state = 'active'"
            )
        }
        for (tenant, generation) in try await vault.store.takeDue(most: 100, settings: vault.settings).due {
            _ = try await vault.tend(tenant, generation: generation)
        }
    }

    private func isInHand(_ tenant: TenantID, _ world: VaultWorld) async throws -> Bool {
        let current = world.fake.currentRefreshTokens(organization: world.organization(of: tenant))
        return current.contains(try await world.storedRefreshToken(tenant))
    }

    private func checkVerdicts(_ world: VaultWorld) async throws {
        for tenant in tenants where try await world.value("state", tenant, as: String.self) == "needs_authorization" {
            #expect(try await !isInHand(tenant, world), "\(tenant) was given up with a valid token in its row")
        }
    }

    private func checkEnd(_ world: VaultWorld, _ vault: TokenVault) async throws {
        let declared = try await world.sql(
            """
            select count(*) from leasehold.credential_exchange
            where rung in ('late_probe', 'replay') and outcome not in ('not_sent', 'throttled')
            """
        ).only.decode(0, as: Int64.self)
        #expect(world.fake.ledger().totals.presentedTwice <= Int(declared))
        #expect(world.fake.ledger().totals.posts > 20)
        for tenant in tenants {
            let row = try await world.sql(
                "select state, suspect_reason is null, attempt_id is null from leasehold.credential where tenant_id = $1",
                tenant.rawValue
            ).only.decode((String, Bool, Bool).self)
            if row.0 == "active" {
                #expect(row.1, "\(tenant) is still suspect")
                #expect(row.2, "\(tenant) has an open intent")
                #expect(try await isInHand(tenant, world), "\(tenant) holds a dead token and does not know it")
            } else {
                let lost = world.fake.ledger().organization(world.organization(of: tenant))?.repliesLost ?? 0
                #expect(lost > 0, "\(tenant) was given up without a lost reply")
                try await world.connect(tenant, vault)
                #expect(try await isInHand(tenant, world))
            }
        }
    }
}

extension RandomSource {
    func chance(_ probability: Double) -> Bool { uniform(in: 0...1) < probability }
}
