import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

/// What each class of answer leaves in the row, in the log and with the provider. The answers are
/// scripted: nothing is presented that the script does not know of.
@Suite struct ClassificationTests {
    private let tenant = TenantID.numbered(0)

    private struct Row {
        let state: String
        let generation: Int64
        let suspect: String?
        let outcome: String?
        let errorClass: String?
        let failures: Int32
        let isExchanging: Bool
        let isBackingOff: Bool
    }

    /// A connected tenant whose token has expired, a vault that answers from `replies`.
    private func withScript<R>(
        _ replies: Replies,
        _ body: (VaultWorld, TokenVault) async throws -> R
    ) async throws -> R {
        try await withVaultWorld { world in
            let first = try await world.vault(exchange: Replies([.tokens(access: "a1", refresh: "r1")]).exchange)
            try await world.addTenant(tenant)
            try await first.connect(tenant, with: .accessToken(Secret("session")))
            try await world.advance(by: .seconds(3600))
            let vault = try await world.vault(
                exchange: replies.exchange,
                settings: {
                    $0.shortPatience = .zero
                    $0.cacheTime = .zero
                }
            )
            return try await body(world, vault)
        }
    }

    private func row(_ world: VaultWorld) async throws -> Row {
        let row = try await world.sql(
            """
            select state, generation, suspect_reason, last_outcome, last_error_class, failures,
                attempt_id is not null, coalesce(not_before > clock_timestamp(), false)
            from leasehold.credential where tenant_id = $1
            """,
            tenant.rawValue
        ).only.decode((String, Int64, String?, String?, String?, Int32, Bool, Bool).self)
        return Row(
            state: row.0,
            generation: row.1,
            suspect: row.2,
            outcome: row.3,
            errorClass: row.4,
            failures: row.5,
            isExchanging: row.6,
            isBackingOff: row.7
        )
    }

    private func unavailable(_ vault: TokenVault) async -> Duration? {
        do {
            _ = try await vault.accessToken(for: tenant)
            return nil
        } catch let error as VaultError {
            if case .temporarilyUnavailable(let delay) = error.reason { return delay }
            return nil
        } catch {
            return nil
        }
    }

    @Test func whatWasNotSentClearsTheIntentAndMayBeSentAgain() async throws {
        let replies = Replies([.notSent])
        try await withScript(replies) { world, vault in
            #expect(try #require(await unavailable(vault)) <= .seconds(2))
            let after = try await row(world)
            #expect(after.outcome == "not_sent")
            #expect(after.suspect == nil)
            #expect(!after.isExchanging)
            #expect(after.isBackingOff)
            #expect(after.failures == 1)
            try await world.advance(by: .seconds(10))
            replies.add(.tokens(access: "a2", refresh: "r2"))
            #expect(try await vault.accessToken(for: tenant).token.fakeText == "a2")
            #expect(replies.presentedTexts == ["refresh_token:r1", "refresh_token:r1"])
            #expect(try await row(world).failures == 0)
        }
    }

    @Test func a429HoldsEveryTenantAndSpendsNothing() async throws {
        let replies = Replies([.status(429, retryAfter: "120")])
        try await withScript(replies) { world, vault in
            #expect(try #require(await unavailable(vault)) > .seconds(100))
            let after = try await row(world)
            #expect(after.outcome == "throttled")
            #expect(after.suspect == nil)
            #expect(!after.isExchanging)
            let admission = try #require(try await vault.store.admit())
            #expect(admission.cause == "blocked")
            #expect((Duration.seconds(100)...Duration.seconds(120)).contains(admission.retryAfter))
            try await world.advance(by: .seconds(130))
            replies.add(.tokens(access: "a2", refresh: "r2"))
            #expect(try await vault.accessToken(for: tenant).token.fakeText == "a2")
        }
    }

    @Test(arguments: [
        "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request",
    ])
    func ourConfigurationStopsEveryExchangeOfThisClientOnly(code: String) async throws {
        let replies = Replies([.error(code, status: 401)])
        try await withScript(replies) { world, vault in
            #expect(try #require(await unavailable(vault)) > .seconds(500))
            let after = try await row(world)
            #expect(after.outcome == "misconfigured")
            #expect(after.errorClass == code)
            #expect(after.suspect == nil)
            #expect(after.state == "active")
            #expect(!after.isExchanging)
            // Nobody else presents anything with this client.
            try await world.addTenant(.numbered(1))
            #expect(try await vault.store.admit()?.cause == "stopped")
            #expect(replies.presented.count == 1)
            #expect(try await vault.inspector.providerStatus()?.stopReason == code)
            // A worker that was started with another client goes on.
            try await world.sql("update leasehold.provider set stop_client = 'another'")
            #expect(try await vault.store.admit() == nil)
            replies.add(.tokens(access: "a2", refresh: "r2"))
            try await world.sql("update leasehold.credential set refresh_due_at = clock_timestamp()")
            #expect(try await vault.accessToken(for: tenant).token.fakeText == "a2")
        }
    }

    @Test func aStopEndsWhenAProbeIsAnswered() async throws {
        let replies = Replies([.error("invalid_client", status: 401)])
        try await withScript(replies) { world, vault in
            _ = await unavailable(vault)
            try await world.advance(by: .seconds(601))
            replies.add(.tokens(access: "a2", refresh: "r2"))
            #expect(try await vault.accessToken(for: tenant).token.fakeText == "a2")
            #expect(try await vault.inspector.providerStatus()?.stopReason == nil)
            #expect(try await vault.store.admit() == nil)
        }
    }

    @Test(arguments: [400, 401, 200])
    func invalidGrantMakesTheGenerationSuspectAndNeverPresentsItAtOnceAgain(status: Int) async throws {
        let replies = Replies([.error("invalid_grant", status: status)])
        try await withScript(replies) { world, vault in
            _ = await unavailable(vault)
            let after = try await row(world)
            #expect(after.suspect == "dead")
            #expect(after.state == "active")
            #expect(after.generation == 1)
            #expect(!after.isExchanging)
            _ = await unavailable(vault)
            _ = await unavailable(vault)
            #expect(replies.presentedTexts == ["refresh_token:r1"])
        }
    }

    @Test(arguments: [
        Replies.Reply.noReply, .status(500), .status(503, body: #"{"error":"invalid_grant"}"#),
        .status(502, body: "<html>"), .status(200, body: "<html>"), .status(403, body: "<html>"), .status(200),
        .status(200, body: "{}"), .status(302), .cut(""), .cut(#"{"acc"#), .error("server_error"),
    ])
    func anAmbiguousAnswerIsNeverFollowedByTheSameToken(reply: Replies.Reply) async throws {
        let replies = Replies([reply])
        try await withScript(replies) { world, vault in
            _ = await unavailable(vault)
            let after = try await row(world)
            #expect(after.suspect == "ambiguous")
            #expect(after.state == "active")
            #expect(after.generation == 1)
            #expect(!after.isExchanging)
            _ = await unavailable(vault)
            #expect(replies.presentedTexts == ["refresh_token:r1"])
        }
    }

    @Test func theAccessTokenOfACutReplyIsHandedOut() async throws {
        let replies = Replies([.cut(#"{"access_token":"a2","expires_in":3600,"refresh_token":"r2"#)])
        try await withScript(replies) { world, vault in
            let token = try await vault.accessToken(for: tenant)
            #expect(token.token.fakeText == "a2")
            #expect(try await row(world).suspect == "ambiguous")
            #expect(replies.presented.count == 1)
        }
    }

    @Test func aCutReplyWithItsRefreshTokenIsSaved() async throws {
        let replies = Replies([.cut(#"{"access_token":"a2","refresh_token":"r2","expi"#)])
        try await withScript(replies) { world, vault in
            let token = try await vault.accessToken(for: tenant)
            #expect(token.token.fakeText == "a2")
            #expect(try await world.storedRefreshToken(tenant) == "r2")
            #expect(try await row(world).suspect == nil)
        }
    }

    @Test func theLogOfExchangesTellsWhatHappenedAndHoldsNoToken() async throws {
        let replies = Replies([.notSent, .tokens(access: "a2", refresh: "r2")])
        try await withScript(replies) { world, vault in
            _ = await unavailable(vault)
            try await world.advance(by: .seconds(10))
            _ = try await vault.accessToken(for: tenant)
            let history = try await vault.inspector.history(of: tenant)
            #expect(history.map(\.outcome) == ["saved", "not_sent", "saved"])
            #expect(history.map(\.rung) == ["refresh", "refresh", "connect"])
            #expect(history.map(\.generation) == [1, 1, 0])
            // The same token was shown twice, because the first time it did not leave the machine.
            #expect(history[0].fingerprint == history[1].fingerprint)
            let dump = try await world.sql("select string_agg(e::text, ' ') from leasehold.credential_exchange e").only
                .decode(0, as: String.self)
            for token in ["r1", "r2", "a1", "a2", "session"] { #expect(!dump.contains("\"\(token)\"")) }
        }
    }

    @Test func aBurstOfInvalidGrantsIsAnIncidentOfTheProvider() async throws {
        try await withVaultWorld { world in
            let connects = Replies((0..<8).map { .tokens(access: "a\($0)", refresh: "r\($0)") })
            let first = try await world.vault(exchange: connects.exchange)
            for number in 0..<8 {
                try await world.addTenant(.numbered(number))
                try await first.connect(.numbered(number), with: .accessToken(Secret("session")))
            }
            try await world.advance(by: .seconds(3600))
            let replies = Replies(Array(repeating: .error("invalid_grant"), count: 5))
            let vault = try await world.vault(exchange: replies.exchange, settings: { $0.shortPatience = .zero })
            for number in 0..<5 {
                _ = try? await vault.accessToken(for: .numbered(number))
            }
            #expect(replies.presented.count == 5)
            #expect(try await vault.inspector.providerStatus()?.breakerReason == "many refresh tokens refused at once")
            // The others are held, and nobody is given up.
            _ = try? await vault.accessToken(for: .numbered(5))
            #expect(replies.presented.count == 5)
            try await world.sql("update leasehold.credential set suspect_at = suspect_at - interval '1 hour'")
            for number in 0..<5 {
                _ = try await vault.recover(.numbered(number))
                #expect(try await world.value("state", .numbered(number), as: String.self) == "active")
            }
            // One probe at a time, and its success lets everybody go on.
            try await world.advance(by: .seconds(31))
            replies.add(.tokens(access: "fresh", refresh: "new"))
            #expect(try await vault.accessToken(for: .numbered(6)).token.fakeText == "fresh")
            #expect(try await vault.inspector.providerStatus()?.breakerReason == nil)
        }
    }

    @Test func manyAnswersThatCannotBeUsedOpenTheBreaker() async throws {
        try await withVaultWorld { world in
            let connects = Replies((0..<10).map { .tokens(access: "a\($0)", refresh: "r\($0)") })
            let first = try await world.vault(exchange: connects.exchange)
            for number in 0..<10 {
                try await world.addTenant(.numbered(number))
                try await first.connect(.numbered(number), with: .accessToken(Secret("session")))
            }
            try await world.advance(by: .seconds(3600))
            let replies = Replies(Array(repeating: .status(503), count: 20))
            let vault = try await world.vault(exchange: replies.exchange, settings: { $0.shortPatience = .zero })
            for number in 0..<10 { _ = try? await vault.accessToken(for: .numbered(number)) }
            #expect(replies.presented.count == 8, "the breaker spares the rest")
            try await world.advance(by: .seconds(31))
            _ = try? await vault.accessToken(for: .numbered(9))
            #expect(replies.presented.count == 9, "one probe after the cooldown")
            // The probe failed: the cooldown has doubled.
            try await world.advance(by: .seconds(31))
            #expect(try await vault.store.admit()?.cause == "breaker")
        }
    }
}
