import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import TokenVault

/// The database fails at every moment of an exchange.
@Suite struct DatabaseFaultTests {
    private let tenant = TenantID.numbered(0)

    private func expired(_ world: VaultWorld, _ vault: TokenVault) async throws {
        try await world.connect(tenant, vault)
        try await world.advance(by: .seconds(3600))
        vault.cache.forgetAll()
    }

    @Test func aLockHolderThatIsTerminatedDuringThePOSTStillSavesItsReply() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            let vault = try await world.vault()
            let other = try await world.vault(settings: {
                $0.shortPatience = .zero
                $0.patience = .seconds(60)
            })
            try await expired(world, vault)
            var rule = FaultRule(.hold(gate, .after), at: .token)
            rule.grant = .refreshToken
            world.fake.faults.add(rule)
            async let token = vault.accessToken(for: tenant)
            await gate.arrivals(1)
            let killed = try await world.sql(
                """
                select count(pg_terminate_backend(pid)) from pg_stat_activity
                where datname = current_database() and state = 'idle in transaction'
                """
            ).only.decode(0, as: Int64.self)
            #expect(killed == 1)
            // The row is unlocked, but the intent stands: another worker presents nothing.
            #expect(try await other.tend(tenant, generation: 1) == nil)
            #expect(world.fake.ledger().totals.posts == 2)
            gate.open()
            #expect(try await token.generation == 2)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func theLockIsNotLostToAnIdleTimeout() async throws {
        try await withVaultWorld { world in
            let gate = FaultGate()
            try await world.sql(
                "do $$ begin execute format('alter database %I set idle_in_transaction_session_timeout = 20', "
                    + "current_database()); end $$"
            )
            let vault = try await world.vault()
            try await expired(world, vault)
            world.fake.faults.add(FaultRule(.hold(gate, .after), at: .token))
            async let token = vault.accessToken(for: tenant)
            await gate.arrivals(1)
            // Longer than the timeout, by the server's own clock.
            try await world.sql("select pg_sleep(0.1)")
            let holders = try await world.sql(
                """
                select count(*) from pg_stat_activity
                where datname = current_database() and state = 'idle in transaction'
                """
            ).only.decode(0, as: Int64.self)
            #expect(holders == 1)
            gate.open()
            #expect(try await token.generation == 2)
            try await world.expectHealthy([tenant])
        }
    }

    /// The connection ends at the moment of `point`; what the server has then done is decided by `fault`.
    @Test(arguments: [
        (VaultFaultPoint.prepared, TCPProxy.Fault.cutRequest(after: 0)),
        (.prepared, .cutReply(after: 0)),
        (.intentCommitted, .cutRequest(after: 0)),
        (.intentCommitted, .cutReply(after: 0)),
        (.sending, .cutRequest(after: 0)),
        (.replied, .cutRequest(after: 0)),
        (.parsed, .cutRequest(after: 0)),
        (.parsed, .cutReply(after: 0)),
    ])
    func aConnectionThatBreaksAnywhereLosesNothing(point: VaultFaultPoint, fault: TCPProxy.Fault) async throws {
        try await withVaultWorld { world in
            try await withProxy(to: world.database) { proxy, url in
                let calm = try await world.vault()
                let isArmed = Flag()
                let vault = try await world.vault(
                    url: url,
                    settings: { $0.cacheTime = .zero },
                    faultHook: { reached, _ in
                        guard reached == point, isArmed.lower() else { return }
                        proxy.set(fault, once: true)
                    }
                )
                try await expired(world, calm)
                isArmed.raise()
                // Before the POST, the caller learns that the database failed and asks again.
                let first = try? await vault.accessToken(for: tenant)
                #expect(proxy.strikeCount == 1)
                let token = try await { () async throws -> AccessToken in
                    if let first { return first }
                    return try await vault.accessToken(for: tenant)
                }()
                #expect(token.generation == 2)
                #expect(world.fake.ledger().totals.succeeded["refresh_token"] == 1)
                try await world.expectHealthy([tenant])
                #expect(try await vault.inspector.history(of: tenant).map(\.outcome) == ["saved", "saved"])
            }
        }
    }

    @Test func aDatabaseThatIsAwayAfterThePOSTIsWaitedFor() async throws {
        try await withVaultWorld { world in
            try await withProxy(to: world.database) { proxy, url in
                let calm = try await world.vault()
                let clock = TestClock()
                let isArmed = Flag()
                let vault = try await world.vault(
                    url: url,
                    clock: clock,
                    faultHook: { reached, _ in
                        guard reached == .spooled, isArmed.lower() else { return }
                        proxy.set(.refuse)
                        proxy.cutAll()
                    }
                )
                try await expired(world, calm)
                isArmed.raise()
                async let token = vault.accessToken(for: tenant)
                // Three failed attempts to save, each after a pause.
                for _ in 0..<3 {
                    await clock.sleepers(1)
                    clock.advance(by: .seconds(5))
                }
                await clock.sleepers(1)
                #expect(vault.drain.runningCount == 1)
                proxy.heal()
                clock.advance(by: .seconds(5))
                #expect(try await token.generation == 2)
                try await world.expectHealthy([tenant])
            }
        }
    }

    @Test func withoutADatabaseNothingIsPresented() async throws {
        try await withVaultWorld { world in
            try await withProxy(to: world.database) { proxy, url in
                let calm = try await world.vault()
                let vault = try await world.vault(url: url)
                try await expired(world, calm)
                proxy.set(.refuse)
                proxy.cutAll()
                let error = await #expect(throws: VaultError.self) { _ = try await vault.accessToken(for: tenant) }
                guard case .temporarilyUnavailable? = error?.reason else {
                    Issue.record("expected temporarilyUnavailable, got \(String(describing: error))")
                    return
                }
                #expect(world.fake.ledger().totals.posts == 1)
            }
        }
    }
}

/// Something that happens once.
final class Flag: Sendable {
    private let isUp = Mutex(false)

    func raise() { isUp.withLock { $0 = true } }

    /// - Returns: whether it was up.
    func lower() -> Bool {
        isUp.withLock { isUp in
            defer { isUp = false }
            return isUp
        }
    }
}
