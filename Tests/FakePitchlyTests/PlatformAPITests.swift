import FakePitchly
import Testing

@Suite struct PlatformAPITests {
    static let records = """
        query records($t: ID!, $n: Int, $c: String, $f: RecordFilter) {
          recordsConnection(tableId: $t, first: $n, after: $c, filter: $f) {
            totalCount
            edges { cursor node { id fields { fieldId value stringValue } } }
            pageInfo { hasNextPage endCursor }
          }
        }
        """

    @Test func whoAmIAsTheVendorAsksIt() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[1]
            let token = try server.makeSession(organization: organization)
            let query = "{ organization { id } viewer { person { id name email image } tier tierSettings } }"
            let answer = try await client.graphQL(query, token: token)
            #expect(answer.status == 200)
            #expect(answer.headers["content-type"]?.hasPrefix("application/json") == true)
            let data = answer.json["data"]
            #expect(data["organization"]["id"] == .string(organization))
            #expect(data["viewer"]["person"]["id"].stringValue?.wholeMatch(of: /psn.{17}/) != nil)
            #expect(data["viewer"]["tierSettings"].objectValue != nil)
            #expect(answer.json["errors"].isNull)
        }
    }

    @Test(arguments: [nil, "", "plyu_unknown"])
    func withoutAValidTokenNothingButUNAUTHENTICATEDComes(token: String?) async throws {
        try await withFake { _, client in
            let answer = try await client.graphQL("{ organization { id } }", token: token)
            #expect(answer.status == 200)
            #expect(answer.json.objectValue?["data"] == .null)
            #expect(answer.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED")
        }
    }

    @Test func aTokenEndsWithItsTimeOrBefore() async throws {
        try await withFake {
            $0.oauth.accessTokenSeconds = 20
            $0.clock = { fixedDate }
        } _: { server, client in
            let organization = server.organizationIDs[1]
            let token = try server.makeSession(organization: organization)
            server.clock.advance(by: .seconds(19))
            #expect(try await client.graphQL("{ organization { id } }", token: token).json["errors"].isNull)
            server.clock.advance(by: .seconds(1))
            let expired = try await client.graphQL("{ organization { id } }", token: token)
            #expect(expired.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED")
            let next = try server.makeSession(organization: organization)
            #expect(server.invalidateAccessTokens(organization: organization) == 1)
            let invalidated = try await client.graphQL("{ organization { id } }", token: next)
            #expect(invalidated.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED")
        }
    }

    @Test func workspacesTablesAndFieldsAreFound() async throws {
        try await withFake {
            $0.data.workspacesPerOrganization = 2
        } _: { server, client in
            let token = try server.makeSession(organization: server.organizationIDs[1])
            let all = try await client.graphQL(
                "{ workspaces { id name tables { id name fields { id name type } } } }",
                token: token
            )
            let workspaces = try #require(all.json["data"]["workspaces"].arrayValue)
            #expect(workspaces.count == 2)
            let table = workspaces[1]["tables"][0]
            let types = table["fields"].arrayValue?.compactMap { $0["type"].stringValue }
            #expect(types == FieldType.allCases.map(\.rawValue))
            let one = try await client.graphQL(
                "query t($id: ID!, $w: ID!) { table(id: $id) { name fields { id } } workspace(id: $w) { tables { id } } }",
                ["id": table["id"], "w": workspaces[1]["id"]],
                token: token
            )
            #expect(one.json["data"]["table"]["name"] == table["name"])
            let ids = one.json["data"]["table"]["fields"].arrayValue?.map { $0["id"] }
            #expect(ids == table["fields"].arrayValue?.map { $0["id"] })
            #expect(one.json["data"]["workspace"]["tables"].arrayValue?.count == 2)
        }
    }

    @Test func anotherOrganisationsTableIsNotThere() async throws {
        try await withFake { server, client in
            let token = try server.makeSession(organization: server.organizationIDs[1])
            let foreign = try server.organization(server.organizationIDs[2]).tables[0].id
            let variables: JSONValue = ["t": .string(foreign)]
            let table = try await client.graphQL("query t($t: ID!) { table(id: $t) { id } }", variables, token: token)
            #expect(table.json["data"]["table"].isNull && table.json["errors"].isNull)
            let records = try await client.graphQL(Self.records, variables, token: token)
            #expect(records.json.objectValue?["data"] == .null)
            #expect(records.json["errors"][0]["extensions"]["code"] == "NOT_FOUND")
            #expect(records.json["errors"][0]["path"] == ["recordsConnection"])
        }
    }

    @Test func pagesTogetherAreTheTable() async throws {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[0])
            let table = organization.tables[0]
            let token = try server.makeSession(organization: organization.id)
            let edges = try await allEdges(client, table.id, token: token, pageSize: 70)
            #expect(edges.count == 300)
            let truth = try server.records(table: table.id).map { try JSONParser.parse($0) }
            for (edge, record) in zip(edges, truth) {
                #expect(edge["node"]["id"] == record["id"])
                for cell in try #require(edge["node"]["fields"].arrayValue) {
                    let expected = record["fields"][cell["fieldId"].stringValue ?? ""]
                    #expect(cell["value"].canonicalText == expected["value"].canonicalText)
                    #expect(cell["stringValue"] == expected["stringValue"])
                }
            }
        }
    }

    private func allEdges(
        _ client: FakeClient,
        _ table: String,
        token: String,
        pageSize: Int
    ) async throws -> [JSONValue] {
        var edges: [JSONValue] = []
        var cursor = JSONValue.null
        while true {
            let variables: JSONValue = ["t": .string(table), "n": .number(String(pageSize)), "c": cursor]
            let page = try await client.graphQL(Self.records, variables, token: token).json["data"]["recordsConnection"]
            let more = try #require(page["edges"].arrayValue)
            edges += more
            cursor = page["pageInfo"]["endCursor"]
            #expect(cursor == more.last?["cursor"])
            if page["pageInfo"]["hasNextPage"] == false { return edges }
            #expect(more.count == pageSize)
        }
    }

    @Test func aPageIsNoLargerThanTheMaximum() async throws {
        for policy in APISettings.OversizedPages.allCases {
            try await withFake {
                $0.api.maxPageSize = 25
                $0.api.oversizedPages = policy
            } _: { server, client in
                let organization = try server.organization(server.organizationIDs[0])
                let token = try server.makeSession(organization: organization.id)
                let variables: JSONValue = ["t": .string(organization.tables[0].id), "n": 1000]
                let answer = try await client.graphQL(Self.records, variables, token: token)
                let edges = answer.json["data"]["recordsConnection"]["edges"].arrayValue
                #expect(edges?.count == (policy == .clamped ? 25 : nil))
                #expect(answer.json["errors"].isNull == (policy == .clamped))
                let negative = try await client.graphQL(
                    Self.records,
                    ["t": .string(organization.tables[0].id), "n": -1],
                    token: token
                )
                #expect(negative.json["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT")
            }
        }
    }

    @Test func theAnswerHasTheShapeOfTheQuery() async throws {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[1])
            let token = try server.makeSession(organization: organization.id)
            let query = """
                query shape($t: ID!, $no: Boolean = false) {
                  __typename
                  records: recordsConnection(tableId: $t, first: 1) {
                    __typename
                    edges { __typename at: cursor node { ...record __typename } }
                    total: totalCount @include(if: $no)
                  }
                  me: organization { ... on Organization { key: id } }
                }
                fragment record on Record { key: id cells: fields { text: stringValue __typename } }
                """
            let answer = try await client.graphQL(query, ["t": .string(organization.tables[0].id)], token: token)
            let data = answer.json["data"]
            #expect(data.objectValue?.members.map(\.name) == ["__typename", "records", "me"])
            #expect(data["__typename"] == "Query")
            #expect(data["records"].objectValue?.members.map(\.name) == ["__typename", "edges"])
            let edge = data["records"]["edges"][0]
            #expect(edge.objectValue?.members.map(\.name) == ["__typename", "at", "node"])
            #expect(edge["node"].objectValue?.members.map(\.name) == ["key", "cells", "__typename"])
            #expect(edge["node"]["cells"][0]["__typename"] == "Cell")
            #expect(edge["node"]["cells"][0]["value"].isNull)
        }
    }

    @Test func aDocumentThatDoesNotFitTheSchemaIsRefusedWithItsPlace() async throws {
        try await withFake { server, client in
            let token = try server.makeSession(organization: server.organizationIDs[1])
            let answer = try await client.graphQL("{\n  organization { id name }\n}", token: token)
            #expect(answer.status == 200)
            let error = answer.json["errors"][0]
            #expect(error["message"] == "Cannot query field \"name\" on type \"Organization\".")
            #expect(error["extensions"]["code"] == "GRAPHQL_VALIDATION_FAILED")
            #expect(error["locations"] == [["line": 2, "column": 21]])
            let missing = try await client.graphQL("query q($t: ID!) { table(id: $t) { id } }", token: token)
            #expect(missing.json["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT")
            let syntax = try await client.graphQL("{ organization", token: token)
            #expect(syntax.json["errors"][0]["extensions"]["code"] == "GRAPHQL_PARSE_FAILED")
        }
    }

    @Test(arguments: IntrospectionAccess.allCases)
    func introspectionIsForWhomItIsSetFor(access: IntrospectionAccess) async throws {
        try await withFake {
            $0.api.introspection = access
        } _: { server, client in
            let query = "{ __schema { queryType { name } } }"
            let open = try await client.graphQL(query)
            let token = try server.makeSession(organization: server.organizationIDs[1])
            let authenticated = try await client.graphQL(query, token: token)
            let found: JSONValue = ["__schema": ["queryType": ["name": "Query"]]]
            #expect((open.json["data"] == found) == (access == .open))
            #expect((authenticated.json["data"] == found) == (access != .disabled))
            if access == .disabled {
                #expect(authenticated.json["errors"][0]["extensions"]["code"] == "INTROSPECTION_DISABLED")
            }
        }
    }

    @Test func fieldIDsMayBePlain() async throws {
        try await withFake {
            $0.api.fieldIDs = .plain
        } _: { server, client in
            let organization = try server.organization(server.organizationIDs[1])
            let token = try server.makeSession(organization: organization.id)
            let query = """
                query q($t: ID!) { table(id: $t) { fields { id } }
                  recordsConnection(tableId: $t, first: 1) { edges { node { fields { fieldId } } } } }
                """
            let data = try await client.graphQL(query, ["t": .string(organization.tables[0].id)], token: token).json[
                "data"
            ]
            let field = try #require(data["table"]["fields"][0]["id"].stringValue)
            let cell = try #require(
                data["recordsConnection"]["edges"][0]["node"]["fields"][0]["fieldId"].stringValue
            )
            #expect(field.wholeMatch(of: /fld.{17}/) != nil)
            #expect(cell == "\(organization.workspaces[0].id)|\(field)")
        }
    }

    @Test func requestsThatAreNoQueryAreRefused() async throws {
        try await withFake { server, client in
            for body in ["", "[]", "{}", "{\"query\":3}", "{\"query\":\"{a}\",\"variables\":[]}", "{\"query\":\"{a}\""]
            {
                let answer = try await client.send("POST", server.apiURL, body: body)
                #expect(answer.status == 400, "\(body)")
            }
            #expect(try await client.send("GET", server.apiURL).status == 405)
            #expect(try await client.send("GET", server.oauthOrigin + "/nothing").status == 404)
        }
    }
}
