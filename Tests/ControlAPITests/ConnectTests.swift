import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct ConnectTests {
    /// Follows a browser from a link to the address that the provider sends it back to.
    private func login(_ world: ServedWorld, _ tenant: String) async throws -> (callback: String, cookie: String) {
        let key = try await world.key(.tokensWrite)
        let link = try await world.send("POST", "/v1/tenants/\(tenant)/connect", key: key)
        #expect(link.status == 201)
        let url = try #require(try link.object()["url"] as? String)
        let opened = try await world.send("GET", url)
        #expect(opened.status == 302)
        let cookie = try #require(opened.header("set-cookie"))
        #expect(cookie.contains("HttpOnly; SameSite=Lax"))
        let consent = try await world.send("GET", try #require(opened.header("location")))
        let callback = try #require(consent.header("location"), "\(consent.text)")
        #expect(callback.contains("/oauth/callback?code="))
        return (callback, String(cookie.prefix { $0 != ";" }))
    }

    @Test func aPersonConnectsATenantInABrowser() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let (callback, cookie) = try await login(world, "acme")
            let done = try await world.send("GET", callback, headers: [("Cookie", cookie)])
            #expect(done.status == 200)
            #expect(done.text.contains("acme is connected"))
            #expect(try #require(done.header("set-cookie")).contains("Max-Age=0"))
            let key = try await world.key(.tokensRead)
            #expect(try await world.send("GET", "/v1/tenants/acme/access-token", key: key).status == 200)
            // The state was good once; the code, too, but it is not even tried.
            let again = try await world.send("GET", callback, headers: [("Cookie", cookie)])
            #expect(again.status == 400)
            #expect(try again.code() == "login_not_known")
        }
    }

    @Test func anotherBrowserCannotFinishTheLogin() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let (callback, cookie) = try await login(world, "acme")
            let (_, other) = try await login(world, "acme")
            #expect(try await world.send("GET", callback).status == 400)
            #expect(try await world.send("GET", callback, headers: [("Cookie", other)]).status == 400)
            // Nor did the tries spoil it for the one that began.
            #expect(try await world.send("GET", callback, headers: [("Cookie", cookie)]).status == 200)
        }
    }

    @Test func aCommandMakesTheSameLink() async throws {
        try await withServer { world in
            let tenant = try await world.addTenant("acme")
            var settings = ControlSettings()
            settings.publicURL = world.origin
            let link = try await ConnectLink.make(for: tenant, pool: world.pool, settings: settings)
            #expect(try await world.send("GET", link.url).status == 302)
            await #expect(throws: UnknownTenant.self) {
                try await ConnectLink.make(for: TenantID("nobody"), pool: world.pool, settings: settings)
            }
        }
    }

    @Test func aLinkIsGoodOnceAndALoginExpires() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.tokensWrite)
            let link = try await world.send("POST", "/v1/tenants/acme/connect", key: key)
            let url = try #require(try link.object()["url"] as? String)
            #expect(try await world.send("GET", url).status == 302)
            #expect(try await world.send("GET", url).status == 404)
            let (callback, cookie) = try await login(world, "acme")
            _ = try await world.pool.withConnection { connection in
                try await connection.query(sql: "update leasehold.connect_attempt set expires_at = clock_timestamp()")
            }
            #expect(try await world.send("GET", callback, headers: [("Cookie", cookie)]).status == 400)
        }
    }

    @Test func aPersonWhoDeniesIsToldSoAndTheProvidersWordIsNotEchoed() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            for (word, shown) in [("access_denied", true), ("%3Cscript%3E", false)] {
                let (callback, cookie) = try await login(world, "acme")
                let state = try #require(
                    URLComponents(string: callback)?.queryItems?.first { $0.name == "state" }?.value
                )
                let answer = try await world.send(
                    "GET",
                    "/oauth/callback?error=\(word)&state=\(state)",
                    headers: [("Cookie", cookie)]
                )
                #expect(answer.status == 422)
                #expect(answer.text.contains("access_denied") == shown)
                #expect(!answer.text.contains("script"))
            }
        }
    }

    @Test func nothingThatIsStoredCanFinishALogin() async throws {
        try await withServer { world in
            let tenant = try await world.addTenant("acme")
            let store = ConnectStore(pool: world.pool, lifetime: .seconds(60))
            let attempt = try #require(try await store.begin(tenant))
            #expect(attempt.verifier.reveal().utf8.count == 43)
            let row = try await world.pool.withConnection { connection in
                try await connection.query(sql: "select row_to_json(a)::text from leasehold.connect_attempt as a").only
                    .decode(0, as: String.self)
            }
            for secret in [attempt.state, attempt.browser, attempt.verifier.reveal()] {
                #expect(!row.contains(secret))
            }
            // The verifier follows from both halves, and from nothing less.
            #expect(ConnectStore.Attempt(state: attempt.state).verifier != attempt.verifier)
            #expect(ConnectStore.Attempt(browser: attempt.browser).verifier != attempt.verifier)
        }
    }
}
