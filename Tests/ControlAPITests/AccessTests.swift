import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct AccessTests {
    @Test func withoutAGoodKeyNothingIsAnswered() async throws {
        try await withServer { world in
            let none = try await world.send("GET", "/v1/jobs/1")
            #expect(none.status == 401)
            #expect(try none.code() == "key_missing")
            #expect(none.header("www-authenticate") == "Bearer realm=\"leasehold\"")
            #expect(none.header("content-type") == "application/problem+json")
            for wrong in ["lsk_", "lsk_" + String(repeating: "A", count: 43), "nonsense"] {
                #expect(try await world.send("GET", "/v1/jobs/1", key: wrong).status == 401)
            }
        }
    }

    @Test func aKeyIsRefusedOnceItIsRevokedOrExpired() async throws {
        try await withServer { world in
            let made = try await world.keys.create(name: "a", scopes: [.jobsRead])
            let key = made.key.reveal()
            #expect(try await world.send("GET", "/v1/jobs/1", key: key).status == 404)
            try await world.keys.revoke(made.id)
            #expect(try await world.send("GET", "/v1/jobs/1", key: key).status == 401)
            let short = try await world.key(.jobsRead, lifetime: .seconds(3600))
            #expect(try await world.send("GET", "/v1/jobs/1", key: short).status == 404)
            _ = try await world.pool.withConnection { connection in
                try await connection.query(
                    sql: "update leasehold.api_key set expires_at = clock_timestamp() where expires_at is not null"
                )
            }
            #expect(try await world.send("GET", "/v1/jobs/1", key: short).status == 401)
        }
    }

    @Test func aKeyMayDoWhatItsScopesSayAndNoMore() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let routes: [(APIScope, String, String, String?)] = [
                (.jobsWrite, "POST", "/v1/jobs", #"{"tenant":"acme","kind":"a"}"#),
                (.jobsRead, "GET", "/v1/jobs/1", nil),
                (.jobsWrite, "POST", "/v1/jobs/1/cancel", nil), (.jobsWrite, "POST", "/v1/jobs/1/retry", nil),
                (.tenantsRead, "GET", "/v1/tenants/acme", nil), (.tenantsWrite, "PUT", "/v1/tenants/acme", "{}"),
                (.tenantsWrite, "POST", "/v1/tenants/acme/pause", nil),
                (.tenantsWrite, "POST", "/v1/tenants/acme/resume", nil),
                (.tokensRead, "GET", "/v1/tenants/acme/access-token", nil),
                (.tokensWrite, "POST", "/v1/tenants/acme/connect", nil),
                (.tokensWrite, "GET", "/v1/tenants/acme/connect", nil),
            ]
            for scope in APIScope.allCases {
                let key = try await world.key(scope)
                for (needed, method, path, body) in routes {
                    let status = try await world.send(method, path, key: key, json: body).status
                    let mayPass = scope == needed || scope == .admin
                    #expect((status != 403) == mayPass, "\(scope) on \(method) \(path) gave \(status)")
                }
            }
        }
    }

    @Test func aBoundKeySeesItsTenantOnly() async throws {
        try await withServer { world in
            let (mine, _) = (try await world.addTenant("mine"), try await world.addTenant("other"))
            let all = try await world.key(.admin)
            let bound = try await world.key(.jobsWrite, .jobsRead, .tenantsRead, .tokensWrite, tenant: mine)
            let made = try await world.send("POST", "/v1/jobs", key: all, json: #"{"tenant":"other","kind":"a"}"#)
            let id = try #require(try made.object()["id"] as? Int)
            #expect(try await world.send("GET", "/v1/tenants/other", key: bound).status == 404)
            #expect(try await world.send("POST", "/v1/tenants/other/connect", key: bound).status == 404)
            #expect(try await world.send("GET", "/v1/jobs/\(id)", key: bound).status == 404)
            #expect(try await world.send("POST", "/v1/jobs/\(id)/cancel", key: bound).status == 404)
            let foreign = try await world.send("POST", "/v1/jobs", key: bound, json: #"{"tenant":"other","kind":"a"}"#)
            #expect(foreign.status == 403)
            // Whoever reads the first of two equal names, and whoever reads the last: it becomes its own.
            let twice = try await world.send(
                "POST",
                "/v1/jobs",
                key: bound,
                json: #"{"tenant":"other","kind":"a","tenant":"mine"}"#
            )
            if twice.status == 201 {
                let job = try #require(try twice.object()["id"] as? Int)
                #expect(
                    try await world.send("GET", "/v1/jobs/\(job)", key: bound).object()["tenant"] as? String == "mine"
                )
            }
            #expect(try await world.send("GET", "/v1/tenants/mine", key: bound).status == 200)
        }
    }

    @Test func theSecretOfAKeyIsNotInTheDatabaseNorInTheLog() async throws {
        try await withServer { world in
            let key = try await world.key(.jobsRead)
            _ = try await world.send("GET", "/v1/jobs/1", key: key)
            let dump = try await world.pool.withConnection { connection in
                try await connection.query(sql: "select row_to_json(k)::text from leasehold.api_key as k").only.decode(
                    0,
                    as: String.self
                )
            }
            #expect(!dump.contains(key.dropFirst(4)))
            #expect(!world.log.text.contains(key.dropFirst(4)))
        }
    }

    @Test func tooManyRequestsOfOneKeyAreRefusedAndOthersGoOn() async throws {
        var settings = ControlSettings()
        settings.ratePerSecond = 0.001
        settings.rateBurst = 3
        try await withServer(settings) { world in
            let (busy, other) = (try await world.key(.jobsRead), try await world.key(.jobsRead))
            var statuses: [Int] = []
            for _ in 0..<5 { statuses.append(try await world.send("GET", "/v1/jobs/1", key: busy).status) }
            #expect(statuses == [404, 404, 404, 429, 429])
            let refused = try await world.send("GET", "/v1/jobs/1", key: busy)
            #expect(try #require(refused.header("retry-after").flatMap { Int($0) }) > 0)
            #expect(try await world.send("GET", "/v1/jobs/1", key: other).status == 404)
        }
    }

    @Test func aRateLimiterRefillsAndForgets() {
        let time = ManualTime()
        let limiter = RateLimiter(rate: 2, burst: 2, limit: 3, now: { time.now })
        #expect(limiter.admit("a") == nil)
        #expect(limiter.admit("a") == nil)
        #expect(limiter.admit("a") == .milliseconds(500))
        time.advance(.milliseconds(500))
        #expect(limiter.admit("a") == nil)
        for caller in 0..<1000 { _ = limiter.admit("\(caller)") }
        #expect(limiter.remembered <= 3)
    }
}
