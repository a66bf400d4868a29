import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// Commits that a failover or a restore has lost, and replies whose worker has died.
@Suite struct FailoverTests {
    private let tenant = TenantID.numbered(0)

    private func snapshot(_ world: VaultWorld) async throws {
        try await world.sql("create table saved as select * from leasehold.credential")
    }

    /// As a standby that had not received the commits since the snapshot.
    private func promote(_ world: VaultWorld) async throws {
        try await world.sql("delete from leasehold.credential")
        try await world.sql("insert into leasehold.credential select * from saved")
        try await world.sql("update leasehold.provider set timeline = '00000000'")
    }

    @Test func afterAFailoverTheSpoolsAreReplayedBeforeAnythingIsPresented() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            let tenants = (0..<50).map(TenantID.numbered)
            for tenant in tenants { try await world.connect(tenant, vault) }
            try await world.advance(by: .seconds(3600))
            try await snapshot(world)
            for tenant in tenants { _ = try await vault.accessToken(for: tenant) }
            try await promote(world)
            // The row is due and knows of no intent; the new timeline holds everything back.
            try await world.sql("update leasehold.credential set refresh_requested_at = clock_timestamp()")
            let batch = try await vault.store.takeDue(most: 50, settings: vault.settings)
            #expect(batch.due.isEmpty)
            #expect(batch.reason == "failover")
            #expect(try await vault.replaySpools() == 50)
            for tenant in tenants { #expect(try await vault.accessToken(for: tenant).generation == 2) }
            try await world.expectHealthy(tenants)
        }
    }

    @Test func evenWithoutAHoldAWorkerNeverPresentsAgainWhatItsSpoolHasAnAnswerTo() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(3600))
            try await snapshot(world)
            let good = try await vault.accessToken(for: tenant)
            try await promote(world)
            try await world.sql("update leasehold.provider set timeline = leasehold.wal_timeline()")
            #expect(try await vault.accessToken(for: tenant).token == good.token)
            #expect(world.fake.ledger().totals.succeeded["refresh_token"] == 1)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aChainOfLostRotationsIsReplayedInOrder() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await snapshot(world)
            for _ in 0..<4 {
                try await world.advance(by: .seconds(3600))
                _ = try await vault.accessToken(for: tenant)
            }
            try await promote(world)
            #expect(try await vault.replaySpools() == 4)
            #expect(try await world.value("generation", tenant, as: Int64.self) == 5)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aReplyOfAnotherLineageIsNotReplayed() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await snapshot(world)
            for _ in 0..<2 {
                try await world.advance(by: .seconds(3600))
                _ = try await vault.accessToken(for: tenant)
            }
            // Restored, and connected anew by a person before any spool was read.
            let other = try await world.vault(spool: try await DirectorySpool.open(path: try TemporaryFolder.make()))
            try await promote(world)
            try await world.connect(tenant, other)
            #expect(try await world.value("generation", tenant, as: Int64.self) == 2)
            // The spool holds a reply to generation 2, but of the old world.
            #expect(try await vault.replaySpools() == 0)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aReplyWhoseWorkerDiedBeforeTheCommitIsSavedByAnother() async throws {
        try await withVaultWorld { world in
            let spool = try await world.newSpool()
            let dying = try await world.vault(
                spool: spool,
                faultHook: { point, _ in
                    // The intent is committed, the answer is not: what the row holds if the worker dies now.
                    if point == .spooled { _ = try? await snapshot(world) }
                }
            )
            try await world.connect(tenant, dying)
            try await world.sql("drop table saved")
            try await world.advance(by: .seconds(3600))
            dying.cache.forgetAll()
            let good = try await dying.accessToken(for: tenant)
            try await world.sql("delete from leasehold.credential")
            try await world.sql("insert into leasehold.credential select * from saved")
            #expect(try await world.value("attempt_id is not null", tenant, as: Bool.self))

            let living = try await world.vault(spool: spool, settings: { $0.cacheTime = .zero })
            #expect(try await living.replaySpools() == 1)
            #expect(try await living.accessToken(for: tenant).token == good.token)
            #expect(try await living.inspector.history(of: tenant).first?.outcome == "replayed")
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aWorkerThatDiedWithoutAReplyLeavesASuspectAndNotASecondPresentation() async throws {
        try await withVaultWorld { world in
            let spool = try await world.newSpool()
            let dying = try await world.vault(
                spool: spool,
                faultHook: { point, _ in if point == .rowHeld { _ = try? await snapshot(world) } }
            )
            try await world.connect(tenant, dying)
            try await world.sql("drop table saved")
            try await world.advance(by: .seconds(2700))
            _ = try await dying.tend(tenant, generation: 1)
            try await world.sql("delete from leasehold.credential")
            try await world.sql("insert into leasehold.credential select * from saved")

            // The reply died with its worker: an empty spool.
            let living = try await world.vault(
                spool: try await DirectorySpool.open(path: try TemporaryFolder.make()),
                settings: {
                    $0.cacheTime = .zero
                    $0.shortPatience = .zero
                }
            )
            // The intent is open: nobody presents, and the old access token serves.
            #expect(try await living.tend(tenant, generation: 1) == nil)
            #expect(try await living.accessToken(for: tenant).generation == 1)
            // Its deadline has passed: abandoned, and the ladder begins.
            try await world.advance(by: .seconds(80))
            #expect(try await living.tend(tenant, generation: 1) == nil)
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == "ambiguous")
            try await world.advance(by: .seconds(61))
            guard case .saved = try await living.recover(tenant) else {
                Issue.record("expected the access token to bring a new pair")
                return
            }
            #expect(
                try await living.inspector.history(of: tenant).map(\.outcome) == [
                    "saved", "abandoned", "saved", "saved",
                ]
            )
            #expect(world.fake.ledger().totals.presentedTwice == 0)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func anIntentWhoseCommitIsLostIsKnownToTheSpool() async throws {
        try await withVaultWorld { world in
            let spool = try await world.newSpool()
            let dying = try await world.vault(spool: spool)
            try await world.connect(tenant, dying)
            try await world.advance(by: .seconds(2700))
            try await snapshot(world)
            // The reply is lost, the worker dies, and the primary with the intent too.
            world.fake.faults.add(FaultRule(.close(.after, isReset: true), at: .token))
            _ = try await dying.perform(ExchangeOrder(tenant: tenant, rung: .refresh, seen: 1))
            try await promote(world)
            try await world.sql("update leasehold.provider set timeline = leasehold.wal_timeline()")

            let living = try await world.vault(
                spool: spool,
                settings: {
                    $0.cacheTime = .zero
                    $0.shortPatience = .zero
                }
            )
            #expect(try await living.tend(tenant, generation: 1) == nil)
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == "ambiguous")
            try await world.advance(by: .seconds(140))
            guard case .saved = try await living.recover(tenant) else {
                Issue.record("expected the access token to bring a new pair")
                return
            }
            #expect(world.fake.ledger().totals.presentedTwice == 0)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func aLostIntentThatOneWorkersSpoolKnowsOfKeepsAllOthersFromPresentingItAgain() async throws {
        try await withVaultWorld { world in
            let knowing = try await world.vault(spool: try await DirectorySpool.open(path: try TemporaryFolder.make()))
            let other = try await world.vault(
                spool: try await DirectorySpool.open(path: try TemporaryFolder.make()),
                settings: {
                    $0.cacheTime = .zero
                    $0.shortPatience = .zero
                }
            )
            try await world.connect(tenant, knowing)
            try await world.advance(by: .seconds(2700))
            try await snapshot(world)
            world.fake.faults.add(FaultRule(.close(.after, isReset: true), at: .token))
            _ = try await knowing.perform(ExchangeOrder(tenant: tenant, rung: .refresh, seen: 1))
            try await promote(world)
            // Held back by the new timeline, all workers read their spools.
            try await world.sql("update leasehold.credential set refresh_due_at = clock_timestamp()")
            #expect(try await other.store.takeDue(most: 1, settings: other.settings).reason == "failover")
            #expect(try await other.replaySpools() == 0)
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == nil)
            #expect(try await knowing.replaySpools() == 0)
            #expect(try await world.value("suspect_reason", tenant, as: String?.self) == "ambiguous")

            try await world.advance(by: .seconds(140))
            let progress = try await other.recover(tenant)
            guard case .saved = progress else {
                Issue.record("expected the access token to bring a new pair, got \(progress)")
                return
            }
            #expect(try await other.inspector.history(of: tenant).first?.rung == "access_token")
            #expect(world.fake.ledger().totals.presentedTwice == 0)
            try await world.expectHealthy([tenant])
        }
    }

    @Test func whatWasNotSpentIsNotDoubtedWhenTheSpoolsAreRead() async throws {
        try await withVaultWorld { world in
            let replies = Replies([.tokens(access: "a1", refresh: "r1"), .status(429), .notSent])
            let vault = try await world.vault(exchange: replies.exchange)
            try await world.addTenant(tenant)
            try await vault.connect(tenant, with: .accessToken(Secret("session")))
            for _ in 0..<2 {
                try await world.advance(by: .seconds(700))
                _ = try await vault.perform(ExchangeOrder(tenant: tenant, rung: .refresh, seen: 1))
                _ = try await vault.replaySpools()
                #expect(try await world.value("suspect_reason", tenant, as: String?.self) == nil)
            }
            #expect(replies.presented.count == 3)
        }
    }

    @Test func anExchangeAdmittedBeforeAFailoverDoesNotBeginAfterIt() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(settings: { $0.cacheTime = .zero })
            try await world.connect(tenant, vault)
            try await world.advance(by: .seconds(2700))
            try await world.sql("update leasehold.provider set timeline = '00000000'")
            let outcome = try await vault.perform(ExchangeOrder(tenant: tenant, rung: .refresh, seen: 1))
            guard case .obstructed(.held) = outcome else {
                Issue.record("expected the failover to hold it back, got \(outcome)")
                return
            }
            #expect(world.fake.ledger().totals.posts == 1)
            // The hold outlasts everything that can have been out.
            let admission = try #require(try await vault.store.admit())
            #expect(admission.cause == "failover")
            #expect(admission.retryAfter > vault.profile.deadline + vault.profile.serverTimeLimit)
        }
    }
}
