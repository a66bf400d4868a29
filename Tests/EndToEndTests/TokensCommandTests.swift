import FakePitchly
import Foundation
import Testing

extension EndToEndTests {
    /// Looking at credentials takes the database and nothing else, and no answer holds a token.
    @Suite struct TokensCommandTests {
        private let secretSettings = [
            "LEASEHOLD_KEYRING_FILE", "LEASEHOLD_SPOOL_DIR", "LEASEHOLD_PITCHLY_CLIENT_ID",
            "LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE",
        ]

        private func object(_ answer: World.Answer) throws -> [String: Any] {
            try #require(JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [String: Any])
        }

        private func array(_ answer: World.Answer) throws -> [[String: Any]] {
            try #require(JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]])
        }

        private func expectNoToken(_ answer: World.Answer, _ world: World) {
            for secret in world.pitchly.secrets {
                #expect(!answer.output.contains(secret) && !answer.errors.contains(secret))
            }
        }

        @Test func listShowAndHistoryNeedTheDatabaseAlone() async throws {
            try await World.with { world in
                let tenants = try await world.connectTenants()
                let bystander = world.without(secretSettings)

                let list = try await bystander.leasehold("tokens", "list")
                try world.expectSuccess(list)
                let header = list.output.split(separator: "\n")[0]
                for column in [
                    "tenant", "state", "generation", "access token", "refresh due", "outcome", "error class",
                ] {
                    #expect(header.contains(column), "\(column)")
                }
                for tenant in tenants {
                    let line = try #require(list.output.split(separator: "\n").first { $0.hasPrefix("\(tenant) ") })
                    #expect(line.contains(/\ active +1 +in \d+ min +in \d/), "\(line)")
                }

                let rows = try array(try await bystander.leasehold("tokens", "list", "--json"))
                #expect(rows.compactMap { $0["tenant_id"] as? String } == tenants)
                #expect(rows.allSatisfy { $0["generation"] as? Int == 1 && $0["last_outcome"] as? String == "saved" })
                #expect(rows.allSatisfy { $0["last_error_class"] is NSNull })
                let expiry = try Date.ISO8601FormatStyle().parse(try #require(rows[0]["access_expires_at"] as? String))
                #expect((3000...3600).contains(expiry.timeIntervalSinceNow))

                let show = try await bystander.leasehold("tokens", "show", "t1")
                #expect(show.output.contains(/(?m)^generation +1$/))
                #expect(show.output.contains(/(?m)^connected by +access_token$/))
                #expect(show.output.contains(/connected +1 +by access_token/))
                let shown = try object(try await bystander.leasehold("tokens", "show", "t1", "--json"))
                #expect((shown["credential"] as? [String: Any])?["state"] as? String == "active")
                #expect((shown["events"] as? [[String: Any]])?.map { $0["kind"] as? String } == ["connected"])

                let history = try await bystander.leasehold("tokens", "history", "t1")
                #expect(history.output.contains(/connect +access_token +saved +- +200/), "\(history.output)")
                let exchanges = try array(try await bystander.leasehold("tokens", "history", "t1", "--json"))
                #expect(exchanges.map { $0["http_status"] as? Int } == [200])
                for answer in [list, show, history] { expectNoToken(answer, world) }
            }
        }

        @Test func aFailureIsShownByItsClass() async throws {
            try await World.with {
                $0.data.organizations = 1
            } _: { world in
                _ = try await world.connectTenants()
                world.pitchly.faults.add(FaultRule(.answer(.init(status: 503, body: .html), .after), at: .token))
                let refresh = try await world.leasehold(
                    "tokens",
                    "refresh",
                    "t1",
                    environment: ["LEASEHOLD_PITCHLY_ALLOWS_ACCESS_TOKEN_EXCHANGE": "false"]
                )
                #expect(refresh.status == 1)
                #expect(refresh.errors.contains("http_5xx"), "\(refresh.errors)")
                let bystander = world.without(secretSettings)
                let list = try await bystander.leasehold("tokens", "list")
                #expect(list.output.contains(/active \(ambiguous\) +1 .* ambiguous +http_5xx +1/), "\(list.output)")
                let rows = try array(try await bystander.leasehold("tokens", "list", "--json"))
                #expect(rows.first?["last_error_class"] as? String == "http_5xx")
                #expect(rows.first?["suspect_reason"] as? String == "ambiguous")
                for answer in [refresh, list] {
                    expectNoToken(answer, world)
                    #expect(!answer.output.contains("<html") && !answer.errors.contains("<html"))
                }
            }
        }

        @Test func aTenantWithoutACredentialIsNamedWithTheCommandThatConnectsIt() async throws {
            try await World.with { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                let bystander = world.without(secretSettings)
                for command in ["show", "refresh"] {
                    let answer = try await bystander.leasehold("tokens", command, "acme")
                    #expect(answer.status == 1)
                    #expect(answer.errors.contains("leasehold tenants connect acme"), "\(answer.errors)")
                }
                #expect(try await bystander.leasehold("tokens", "list").status == 0)
                let state = try await bystander.leasehold("tokens", "list", "--state", "actve")
                #expect(state.status == 64)
                #expect(state.errors.contains("needs_authorization"))
            }
        }

        @Test func refreshAsksAWorkerWhereNoVaultCanBeOpened() async throws {
            try await World.with {
                $0.data.organizations = 1
            } _: { world in
                _ = try await world.connectTenants()
                let bystander = world.without(secretSettings)
                let alone = try await bystander.leasehold("tokens", "refresh", "t1", "--wait", "1")
                #expect(alone.status == 1)
                #expect(alone.errors.contains("the request stays"))
                #expect(alone.errors.contains("leasehold worker --worker-roles refresh"))
                #expect(world.pitchly.totals.succeeded["refresh_token"] == nil)

                // The request that stayed is the worker's first exchange.
                try world.startWorker("refresher", environment: ["LEASEHOLD_WORKER_ROLES": "refresh"])
                try await world.wait(for: "the refresh", "select generation from leasehold.credential") { $0 == 2 }
                let asked = try await bystander.leasehold("tokens", "refresh", "t1")
                try world.expectSuccess(asked)
                #expect(asked.output == "t1 is at generation 3, refreshed by a worker\n")
                #expect(world.pitchly.totals.presentedTwice == 0)
                let own = try await world.leasehold("tokens", "refresh", "t1")
                #expect(own.output == "t1 is at generation 4\n", "\(own.errors)")
                let read = try await world.leasehold("tokens", "refresh", "t1", "--json")
                #expect(read.output.contains(#""generation": "5""#), "\(read.output) \(read.errors)")
            }
        }
    }
}
