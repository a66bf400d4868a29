import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

@Suite struct KeyRotationTests {
    private let tenant = TenantID.numbered(0)

    private func keyIDs(_ world: VaultWorld) async throws -> Set<String> {
        let rows = try await world.sql(
            """
            select distinct leasehold.sealing_key_of(cell)
            from leasehold.credential, lateral (values (refresh_token), (previous_refresh_token), (access_token)) c (cell)
            where cell is not null
            union select leasehold.sealing_key_of(refresh_token) from leasehold.credential_archive
            """
        )
        return Set(try rows.map { try $0.decode(0, as: String.self) })
    }

    @Test func rotatingSealsEveryCellAnewAndTouchesNoGeneration() async throws {
        try await withVaultWorld { world in
            let old = try await world.vault(settings: { $0.cacheTime = .zero })
            for number in 0..<3 { try await world.connect(.numbered(number), old) }
            // With a predecessor and an archived token.
            try await world.advance(by: .seconds(3600))
            _ = try await old.accessToken(for: .numbered(1))
            try await world.connect(.numbered(2), old)
            #expect(try await keyIDs(world) == ["k1"])

            let new = try await world.vault(
                keys: FixedKeyProvider(try TestKeys.ring("k2", "k1")),
                settings: { $0.cacheTime = .zero }
            )
            #expect(try await new.rotateKeys() == 4)
            #expect(try await keyIDs(world) == ["k2"])
            #expect(try await new.rotateKeys() == 0)
            #expect(try await new.accessToken(for: .numbered(1)).generation == 2)
            try await world.expectHealthy((0..<3).map(TenantID.numbered))
        }
    }

    @Test func aKeyInUseIsNotRetired() async throws {
        try await withVaultWorld { world in
            let old = try await world.vault()
            try await world.connect(tenant, old)
            let ring = FixedKeyProvider(try TestKeys.ring("k2", "k1"))
            let spool = try await DirectorySpool.open(path: try TemporaryFolder.make())
            let new = try await world.vault(keys: ring, spool: spool)
            let cells = await #expect(throws: KeyUseError.self) { try await new.retireKey("k1") }
            #expect(cells?.label == "key_in_use")
            #expect(cells?.hint == "leasehold keys rotate")
            try await new.rotateKeys()
            // A worker elsewhere may have it in its spool still.
            let recently = await #expect(throws: KeyUseError.self) { try await new.retireKey("k1") }
            #expect(recently?.message.contains("in the last 25 hours") == true)
            try await world.sql(
                "update leasehold.sealing_key set last_sealed_at = last_sealed_at - interval '26 hours'"
            )
            try await new.retireKey("k1")
            #expect(try await new.keyStatus().first { $0.id == "k1" }?.retiredAt != nil)
            await #expect(throws: KeyUseError.self) { try await new.retireKey("k2") }
            await #expect(throws: KeyUseError.self) { try await new.retireKey("k9") }
            // Now the old key can be taken out of the ring.
            let later = try await world.vault(keys: FixedKeyProvider(try TestKeys.ring("k2")), spool: spool)
            #expect(try await later.accessToken(for: tenant).generation == 1)
        }
    }

    @Test func aSpooledReplyKeepsItsKeyInUse() async throws {
        try await withVaultWorld { world in
            let old = try await world.vault()
            try await world.connect(tenant, old)
            let new = try await world.vault(keys: FixedKeyProvider(try TestKeys.ring("k2", "k1")))
            try await new.rotateKeys()
            try await world.sql(
                "update leasehold.sealing_key set last_sealed_at = last_sealed_at - interval '26 hours'"
            )
            // The old vault lives, and its spool file in the same folder is looked into.
            let error = await #expect(throws: KeyUseError.self) { try await new.retireKey("k1") }
            #expect(error?.message.contains("1 spooled replies") == true)
        }
    }

    @Test func aRingWithoutAKeyInUseDoesNotStart() async throws {
        try await withVaultWorld { world in
            try await world.connect(tenant, try await world.vault())
            let error = await #expect(throws: KeyUseError.self) {
                _ = try await world.vault(keys: FixedKeyProvider(try TestKeys.ring("k2")))
            }
            #expect(error?.label == "key_missing")
            #expect(error?.message.contains("\"k1\"") == true)
        }
    }

    @Test func otherMaterialUnderAKnownIdDoesNotStart() async throws {
        try await withVaultWorld { world in
            try await world.connect(tenant, try await world.vault())
            let error = await #expect(throws: KeyUseError.self) {
                let line = try KeyRing.makeLine(id: "k1")
                _ = try await world.vault(keys: FixedKeyProvider(try KeyRing(parsing: line, source: "test")))
            }
            #expect(error?.label == "key_differs")
        }
    }

    @Test func rotatingWaitsForAnExchangeUnderWayAndKeepsItsReply() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let vault = try await world.vault()
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            vault.cache.forgetAll()
            var rule = FaultRule(.hold(gate, .after), at: .token)
            rule.grant = .refreshToken
            world.fake.faults.add(rule)
            let new = try await world.vault(keys: FixedKeyProvider(try TestKeys.ring("k2", "k1")))
            async let token = vault.accessToken(for: tenant)
            await gate.arrivals(1)
            async let count = new.rotateKeys()
            try await world.waitUntilSomebodyWaitsForALock()
            gate.open()
            #expect(try await token.generation == 2)
            #expect(try await count == 1)
            #expect(try await keyIDs(world) == ["k2"])
            try await world.expectHealthy([tenant])
        }
    }
}

extension VaultWorld {
    func waitUntilSomebodyWaitsForALock() async throws {
        while try await sql(
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
        ).only.decode(0, as: Int64.self) == 0 {
            await Task.yield()
        }
    }
}
