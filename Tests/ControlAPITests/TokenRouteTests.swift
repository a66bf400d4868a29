import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct TokenRouteTests {
    @Test func aSessionsAccessTokenConnectsATenantAndOnlyAccessTokensComeOut() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.tokensWrite, .tokensRead)
            let before = try await world.send("GET", "/v1/tenants/acme/access-token", key: key)
            #expect(before.status == 409)
            #expect(try before.code() == "no_credential")
            let organization = world.fake.organizationIDs[0]
            let session = try world.fake.makeSession(organization: organization)
            let connected = try await world.send(
                "POST",
                "/v1/tenants/acme/credential",
                key: key,
                json: "{\"access_token\":\"\(session)\"}"
            )
            #expect(connected.status == 201, "\(connected.text)")
            let answer = try await world.send("GET", "/v1/tenants/acme/access-token", key: key)
            #expect(answer.status == 200)
            #expect(answer.header("cache-control") == "no-store")
            let token = try #require(try answer.object()["access_token"] as? String)
            #expect(world.fake.accepts(accessToken: token))
            #expect(try #require(answer.object()["expires_at"] as? String).hasSuffix("Z"))
            for refresh in world.fake.currentRefreshTokens(organization: organization) {
                for text in [before.text, connected.text, answer.text, world.log.text] {
                    #expect(!text.contains(refresh))
                }
            }
            #expect(!world.log.text.contains(token))
        }
    }

    @Test func aTokenThatTheAPIRefusedIsReplaced() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.admin)
            let session = try world.fake.makeSession(organization: world.fake.organizationIDs[0])
            try await world.send(
                "POST",
                "/v1/tenants/acme/credential",
                key: key,
                json: "{\"access_token\":\"\(session)\"}"
            )
            let first = try await world.send("GET", "/v1/tenants/acme/access-token", key: key).object()
            let generation = try #require(first["generation"] as? Int)
            // A token as young as this is not replaced at once: as if it had been made a minute ago.
            _ = try await world.pool.withConnection { connection in
                try await connection.query(
                    sql: "update leasehold.credential set access_issued_at = access_issued_at - interval '1 minute'"
                )
            }
            let second = try await world.send(
                "GET",
                "/v1/tenants/acme/access-token?refused_generation=\(generation)",
                key: key
            )
            #expect(second.status == 200, "\(second.text)")
            #expect(try second.object()["generation"] as? Int == generation + 1)
            let wrong = try await world.send(
                "GET",
                "/v1/tenants/acme/access-token?refused_generation=x",
                key: key
            )
            #expect(wrong.status == 400)
        }
    }

    @Test(arguments: [
        "{}", #"{"access_token":"a","refresh_token":"b"}"#, #"{"access_token":""}"#, #"{"access_token":"a b"}"#,
        #"{"access_token":5}"#, #"{"token":"a"}"#, "[]",
    ])
    func aCredentialOfTheWrongShapeIsRefusedWithoutShowingIt(_ body: String) async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.tokensWrite)
            let answer = try await world.send("POST", "/v1/tenants/acme/credential", key: key, json: body)
            #expect(answer.status == 400)
            #expect(!answer.text.contains("a b"))
        }
    }

    @Test func whatTheProviderRefusesIsTheClientsErrorAndChangesNothing() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.tokensWrite, .tenantsRead)
            let answer = try await world.send(
                "POST",
                "/v1/tenants/acme/credential",
                key: key,
                json: #"{"access_token":"not-one-of-yours"}"#
            )
            #expect(answer.status == 422)
            #expect(try answer.code() == "connect_refused")
            #expect(!answer.text.contains("not-one-of-yours"))
        }
    }

    @Test func aServerWithoutVaultSaysSo() async throws {
        try await withServer(withVault: false) { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.admin)
            for (method, path) in [("GET", "access-token"), ("POST", "connect"), ("GET", "connect")] {
                let answer = try await world.send(method, "/v1/tenants/acme/\(path)", key: key)
                #expect(answer.status == 503)
                #expect(try answer.code() == "no_vault")
            }
        }
    }
}
