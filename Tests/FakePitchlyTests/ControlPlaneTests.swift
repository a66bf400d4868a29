import FakePitchly
import Testing

@Suite struct ControlPlaneTests {
    @Test func aRunIsDrivenOverHTTPAlone() async throws {
        try await withFake { server, client in
            let listed = try await client.control("GET", "organizations").json
            #expect(listed.arrayValue?.map { $0["id"].stringValue } == server.organizationIDs)
            let organization = listed[1]["id"]
            let session = try await client.control("POST", "sessions", ["organization": organization]).json
            let pair = try await client.token([
                ("grant_type", "access_token"), ("access_token", session["access_token"].stringValue ?? ""),
            ])
            let next = try await client.refresh(pair.refreshToken)
            let path = "ledger?organization=\(organization.stringValue ?? "")"
            let ledger = try await client.control("GET", path).json["organizations"][0]
            #expect(ledger["posts"] == 2)
            #expect(ledger["succeeded"] == ["access_token": 1, "refresh_token": 1])
            let fingerprint = FakePitchlyServer.fingerprint(next.refreshToken)
            #expect(ledger["currentRefreshTokens"] == [.string(fingerprint)])
            let totals = try await client.control("GET", "ledger?totals=true").json
            #expect(totals["presentedTwice"] == 0 && totals["maxPerSecond"].intValue ?? 0 > 0)
            let valid = try await client.control("GET", "tokens?organization=\(organization.stringValue ?? "")")
            #expect(valid.body == next.refreshToken + "\n")
            #expect(try await client.control("GET", "tokens").body.contains(pair.accessToken + "\n"))
        }
    }

    @Test func noAnswerButTheTokensHoldsAToken() async throws {
        try await withFake { server, client in
            let grant = try server.makeGrant(organization: server.organizationIDs[0])
            _ = try await client.refresh(grant.refreshToken)
            _ = try await client.graphQL("{ organization { id } }", token: grant.accessToken)
            for path in ["ledger", "requests", "faults", "organizations", ""] {
                let body = try await client.control("GET", path).body
                for secret in server.secrets { #expect(!body.contains(secret), "\(path)") }
            }
        }
    }

    @Test func theClockTheTokensAndTheGrantsAreSet() async throws {
        try await withFake {
            $0.clock = { fixedDate }
        } _: { server, client in
            let organization = JSONValue.string(server.organizationIDs[0])
            let grant = try await client.control("POST", "grants", ["organization": organization])
            #expect(server.accepts(accessToken: grant.accessToken))
            #expect(
                try await client.control("POST", "clock", ["advanceSeconds": 1.5]).json["now"]
                    == "2024-03-15T12:00:01.500Z"
            )
            let clock = try await client.control("GET", "clock")
            #expect(clock.json["now"] == "2024-03-15T12:00:01.500Z")
            #expect(clock.headers["date"] == "Fri, 15 Mar 2024 12:00:01 GMT")
            let token: JSONValue = ["access_token": .string(grant.accessToken)]
            #expect(try await client.control("POST", "invalidate-access-token", token).json["invalidated"] == 1)
            #expect(!server.accepts(accessToken: grant.accessToken))
            let session = try server.makeSession(organization: server.organizationIDs[0])
            let all: JSONValue = ["organization": organization]
            #expect(try await client.control("POST", "invalidate-access-token", all).json["invalidated"] == 1)
            #expect(!server.accepts(accessToken: session))
            #expect(try await client.control("POST", "revoke", all).status == 200)
            #expect(try await client.refresh(grant.refreshToken).error == "invalid_grant")
        }
    }

    @Test func recordsAreEditedAndReadAsTruth() async throws {
        try await withFake { server, client in
            let table = try server.organization(server.organizationIDs[0]).tables[0]
            let path = "tables/\(table.id)"
            let before = try await client.control("GET", "\(path)/digest").json
            #expect(before["records"] == 300)
            let lines = try await client.control("GET", "\(path)/records").body.split(separator: "\n")
            #expect(lines.map(String.init) == (try server.records(table: table.id)))
            let edits: JSONValue = [
                "table": .string(table.id),
                "edits": [["op": "insert"], ["op": "renameTable", "name": "After"]],
            ]
            #expect(try await client.control("POST", "edit", edits).json["ids"].arrayValue?.count == 2)
            let random: JSONValue = ["table": .string(table.id), "random": ["count": 20, "seed": 3]]
            #expect(try await client.control("POST", "edit", random).json["edits"].arrayValue?.count == 20)
            let after = try await client.control("GET", "\(path)/digest").json
            #expect(after["digest"] != before["digest"])
            let described = try await client.control("GET", path).json
            #expect(described["fields"].arrayValue?.count == table.fields.count)
        }
    }

    @Test func tablesComeAndGo() async throws {
        try await withFake { server, client in
            let organization = JSONValue.string(server.organizationIDs[1])
            let token = try server.makeSession(organization: server.organizationIDs[1])
            let tables = { () async throws -> [String] in
                let answer = try await client.graphQL("{ workspaces { tables { id } } }", token: token)
                return answer.json["data"]["workspaces"][0]["tables"].arrayValue?.compactMap { $0["id"].stringValue }
                    ?? []
            }
            let body: JSONValue = ["organization": organization, "name": "Later", "records": 5]
            let made = try await client.control("POST", "tables", body).json
            #expect(made["records"] == 5 && made["name"] == "Later")
            let id = try #require(made["id"].stringValue)
            #expect(try await tables().count == 3)
            #expect(try await client.control("DELETE", "tables/\(id)").status == 200)
            #expect(try await !tables().contains(id))
            #expect(try await client.control("GET", "tables/\(id)").status == 400)
        }
    }

    @Test func faultsAreSetListedAndRemoved() async throws {
        try await withFake { server, client in
            let token = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            let rules: JSONValue = [
                ["fault": "answer", "endpoint": "token", "when": "before", "status": 429, "retryAfterSeconds": 3],
                ["fault": "delay", "when": "after", "milliseconds": 1, "count": nil],
            ]
            #expect(try await client.control("POST", "faults", rules).json["ids"].arrayValue?.count == 2)
            let limited = try await client.refresh(token)
            #expect(limited.status == 429 && limited.headers["retry-after"] == "3")
            #expect(try await client.refresh(token).status == 200)
            let listed = try await client.control("GET", "faults").json
            #expect(listed[0]["hits"] == 1 && listed[1]["hits"] == 2)
            #expect(listed[0]["fault"] == "answer_429_before")
            let first = listed[0]["id"].intValue ?? 0
            #expect(try await client.control("DELETE", "faults?id=\(first)").json.arrayValue?.count == 1)
            #expect(try await client.control("DELETE", "faults").json == [])
        }
    }

    @Test func everyFaultHasANameOverHTTP() async throws {
        try await withFake { server, client in
            for name in [
                "delay", "answer", "close", "reset", "cut", "cut_chunked", "cut_message", "trickle",
                "without_refresh_token", "without_access_token", "expires_in", "malformed_token_json", "extra_members",
                "oauth_error", "unauthenticated", "expired_cursor", "empty_page", "graphql_errors",
                "malformed_graphql_json",
            ] {
                #expect(try await client.control("POST", "faults", ["fault": .string(name)]).status == 200, "\(name)")
            }
            let wrong: [JSONValue] = [
                ["fault": "nothing"], [:], ["fault": "close", "endpoint": "nowhere"],
                ["fault": "answer", "status": 99], ["fault": "answer", "body": "xml"],
                ["fault": "close", "grant": "x"],
            ]
            for rule in wrong {
                let answer = try await client.control("POST", "faults", rule)
                #expect(answer.status == 400)
                #expect(answer.error?.contains("expected") == true, "\(rule.text)")
            }
        }
    }

    @Test func wrongRequestsSayWhatWasExpected() async throws {
        try await withFake { server, client in
            let requests: [(String, String, JSONValue?)] = [
                ("POST", "sessions", [:]), ("POST", "sessions", ["organization": "org1"]), ("POST", "clock", [:]),
                ("POST", "edit", ["table": "tbl1"]), ("GET", "tables/tbl1", nil),
                ("POST", "tables", ["organization": .string(server.organizationIDs[0])]),
            ]
            for (method, path, body) in requests {
                let answer = try await client.control(method, path, body)
                #expect(answer.status == 400, "\(path)")
                #expect(answer.error?.isEmpty == false)
            }
            #expect(try await client.send("POST", "\(server.oauthOrigin)/_fake/clock", body: "{").status == 400)
            #expect(try await client.control("GET", "nothing").status == 404)
        }
    }

    @Test func requestsAreLoggedWithoutWhatTheyCarried() async throws {
        try await withFake { server, client in
            let token = try server.makeSession(organization: server.organizationIDs[1])
            _ = try await client.graphQL("query who { organization { id } viewer { tier } }", token: token)
            let entry = try #require(server.requests.entries().last)
            #expect(entry.path == "/graphql" && entry.method == "POST" && entry.status == 200)
            #expect(entry.operation == "who" && entry.roots == ["organization", "viewer"])
            #expect(entry.organization == server.organizationIDs[1])
            let logged = try await client.control("GET", "requests?after=\(entry.number - 1)").json
            #expect(logged.arrayValue?.count == 1)
            #expect(logged[0]["roots"] == ["organization", "viewer"])
        }
    }
}
