import FakePitchly
import Foundation
import LeaseholdCore
import Logging
import Synchronization
import TestSupport
import Testing

@testable import TokenVault

/// What is not fit for an exchange stops it before anything is presented; what fails after it does not
/// lose the reply.
@Suite struct UnfitTests {
    private let tenant = TenantID.numbered(0)

    @Test func withoutItsKeysAVaultPresentsNothing() async throws {
        try await withVaultWorld { world in
            let keys = FlakyKeys(try TestKeys.ring("k1"))
            let vault = try await world.vault(keys: keys)
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            vault.cache.forgetAll()
            keys.fail(true)
            let error = await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(error?.message.contains("key_ring") == true)
            #expect(world.fake.ledger().totals.posts == 1)
            #expect(try await world.value("attempt_id is null", tenant, as: Bool.self))
            keys.fail(false)
            #expect(try await vault.accessToken(for: tenant).generation == 2)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func anExchangeWritesToItsSpoolTwice() async throws {
        try await withVaultWorld { world in
            let spool = CountingSpool(try await world.newSpool())
            let vault = try await world.vault(spool: spool, settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            let before = spool.writes
            try await world.advance(by: .seconds(3600))
            _ = try await vault.accessToken(for: tenant)
            // The claim before the POST and the reply after it, each with one fdatasync.
            #expect(spool.writes - before == 2)
            #expect(await spool.summaries().count == 2)
        }
    }

    @Test func withoutRoomInTheSpoolNothingIsPresented() async throws {
        try await withVaultWorld { world in
            let calm = try await world.vault(settings: { $0.cacheTime = .zero })
            let vault = try await world.vault(spool: BrokenSpool())
            try await world.connect(tenant, calm)
            try await world.advance(by: .seconds(3600))
            let error = await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(error?.message.contains("spool_unusable") == true)
            #expect(world.fake.ledger().totals.posts == 1)
            #expect(try await world.value("attempt_id is null", tenant, as: Bool.self))
            #expect(try await calm.accessToken(for: tenant).generation == 2)
        }
    }

    @Test func aSpoolThatFailsAfterThePOSTRaisesAnAlarmAndTheRowIsSaved() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(spool: try ForgetfulSpool())
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            vault.cache.forgetAll()
            #expect(try await vault.accessToken(for: tenant).generation == 2)
            #expect(world.log.entries.count { $0.message == "spool_write_failed" && $0.level == .critical } == 2)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aCellOfAnotherTenantDoesNotOpenAndNothingIsPresented() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let other = TenantID.numbered(1)
            try await world.connect(tenant, vault)
            try await world.connect(other, vault)
            try await world.sql(
                """
                update leasehold.credential a set refresh_token = b.refresh_token, access_token = b.access_token
                from leasehold.credential b where a.tenant_id = 't0' and b.tenant_id = 't1'
                """
            )
            let error = await #expect(throws: SealError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(error?.label == "does_not_open")
            try await world.advance(by: .seconds(3600))
            await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(world.fake.ledger().totals.posts == 2)
            // The intent that was written for it is taken back.
            #expect(try await world.value("attempt_id is null", tenant, as: Bool.self))
            #expect(try await world.value("suspect_reason is null", tenant, as: Bool.self))
        }
    }

    @Test func anIntentThatIsTooOldIsNotUsed() async throws {
        try await withVaultWorld { world in
            let calm = try await world.vault()
            let vault = try await world.vault(settings: { $0.sendWindow = .zero })
            try await world.connect(tenant, calm)
            try await world.advance(by: .seconds(3600))
            let error = await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(error?.message.contains("too_late") == true)
            #expect(world.fake.ledger().totals.posts == 1)
            #expect(try await world.value("attempt_id is null", tenant, as: Bool.self))
        }
    }

    @Test func anIntentThatAnotherWorkerClosedIsNotUsed() async throws {
        try await withVaultWorld { world in
            let calm = try await world.vault()
            let isArmed = Flag()
            let vault = try await world.vault(faultHook: { point, _ in
                guard point == .intentCommitted, isArmed.lower() else { return }
                _ = try? await world.sql("select leasehold.exchange_abandon(c) from leasehold.credential c")
            })
            try await world.connect(tenant, calm)
            try await world.advance(by: .seconds(3600))
            isArmed.raise()
            await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
            #expect(world.fake.ledger().totals.posts == 1)
        }
    }
}

/// Counts what goes to the disk.
final class CountingSpool: SpoolStore {
    private let base: any SpoolStore
    private let count = Mutex(0)

    init(_ base: any SpoolStore) { self.base = base }

    var writes: Int { count.withLock { $0 } }

    func reserve(_ attempt: UUID) async throws { try await base.reserve(attempt) }

    func write(_ record: SpoolRecord) async throws {
        count.withLock { $0 += 1 }
        try await base.write(record)
    }

    func release(_ attempt: UUID) async { await base.release(attempt) }
    func discard(_ attempt: UUID) async { await base.discard(attempt) }
    func settle(_ attempt: UUID) async { await base.settle(attempt) }
    func summaries() async -> [SpoolSummary] { await base.summaries() }
    func record(_ attempt: UUID) async -> SpoolRecord? { await base.record(attempt) }
    func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) async -> [SpoolRecord] {
        await base.find(tenant, generation: generation, everywhere: everywhere)
    }
    func adoptOrphans() async { await base.adoptOrphans() }
    func sealingKeys() async -> [String: Int] { await base.sealingKeys() }
}

/// A key management service that can be away.
final class FlakyKeys: KeyProvider {
    private let ring: KeyRing
    private let isAway = Mutex(false)

    init(_ ring: KeyRing) { self.ring = ring }

    func fail(_ isAway: Bool) { self.isAway.withLock { $0 = isAway } }

    func keyRing() throws -> KeyRing {
        if isAway.withLock({ $0 }) { throw KeyRingError(unreadable: "the key service", reason: "timeout") }
        return ring
    }
}

/// Takes claims, promises room, and then has none for the reply.
final class ForgetfulSpool: SpoolStore {
    private let opener: Sealer

    init() throws { opener = Sealer(ring: try TestKeys.ring("k1")) }

    func reserve(_ attempt: UUID) {}

    func write(_ record: SpoolRecord) throws {
        let place = Sealer.Place(tenant: record.tenant, column: .spool, generation: record.generation)
        let spooled = try SpooledReply(decoding: try opener.open(record.sealed, at: place))
        if spooled.facts.status != nil { throw SpoolError.system("/full", "write", ENOSPC) }
    }

    func release(_ attempt: UUID) {}
    func discard(_ attempt: UUID) {}
    func settle(_ attempt: UUID) {}
    func summaries() -> [SpoolSummary] { [] }
    func record(_ attempt: UUID) -> SpoolRecord? { nil }
    func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) -> [SpoolRecord] { [] }
    func adoptOrphans() {}
    func sealingKeys() -> [String: Int] { [:] }
}
