import FakePitchly
import Testing

@Suite struct V2APITests {
    private static let databases = """
        query databases($secretKey: String, $accessToken: String, $organizationId: ID!, $docDbOnly: Boolean) {
          databases(secretKey: $secretKey, accessToken: $accessToken, organizationId: $organizationId,
                    docDbOnly: $docDbOnly) {
            _id name
            fields { _id name type primary required restrict database }
          }
        }
        """
    private static let rows = """
        query rows($t: String!, $d: ID!, $f: JSON, $n: Int, $s: Int) {
          data(accessToken: $t, databaseId: $d, filter: $f, limit: $n, skip: $s) { _id cols { fieldId value } }
          dataCount(accessToken: $t, databaseId: $d, filter: $f)
        }
        """

    private struct Database {
        let server: FakePitchlyServer
        let client: FakeClient
        let table: FakeTable
        let token: String

        var id: JSONValue { .string(String(table.id.dropFirst(3))) }

        func rows(_ more: JSONValue = [:]) async throws -> JSONValue {
            var variables = JSONObject([("t", .string(token)), ("d", id)])
            for member in more.objectValue?.members ?? [] { variables[member.name] = member.value }
            return try await client.graphQL(V2APITests.rows, .object(variables), url: server.v2URL).json
        }

        func run(_ query: String, _ variables: JSONValue = [:]) async throws -> JSONValue {
            var all = JSONObject([("secretKey", .string(server.configuration.oauth.clientSecret)), ("databaseId", id)])
            for member in variables.objectValue?.members ?? [] { all[member.name] = member.value }
            return try await client.graphQL(query, .object(all), url: server.v2URL).json
        }

        func field(_ type: FieldType) throws -> JSONValue {
            .string(String(try #require(table.fields.first { $0.type == type }).id.dropFirst(3)))
        }
    }

    private func withDatabase<Result>(
        large: Bool = false,
        _ body: (Database) async throws -> Result
    ) async throws -> Result {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[large ? 0 : 1])
            let token = try server.makeSession(organization: organization.id)
            return try await body(
                Database(server: server, client: client, table: organization.tables[0], token: token)
            )
        }
    }

    @Test func databasesAreListedForASecretKeyOrAnAccessToken() async throws {
        try await withDatabase { database in
            let organization = JSONValue.string(String(database.table.organization.dropFirst(3)))
            let secret = JSONValue.string(database.server.configuration.oauth.clientSecret)
            for (name, token) in [("secretKey", secret), ("accessToken", .string(database.token))] {
                let variables = JSONValue.object(JSONObject([(name, token), ("organizationId", organization)]))
                let answer = try await database.client.graphQL(
                    Self.databases,
                    variables,
                    url: database.server.v2URL
                )
                #expect(answer.status == 200)
                let listed = try #require(answer.json["data"]["databases"].arrayValue)
                #expect(listed.map { $0["_id"] }.contains(database.id))
                let field = listed[0]["fields"][0]
                #expect(field["_id"].stringValue?.utf8.count == 17)
                #expect(field["type"] == "string" && field["primary"] == true && field["required"].isNull)
            }
        }
    }

    @Test func aWrongTokenIsAnsweredInTheShapeOfThatAPI() async throws {
        try await withDatabase { database in
            let foreign = JSONValue.string(database.server.organizationIDs[2])
            let variables: JSONValue = ["accessToken": .string(database.token), "organizationId": foreign]
            for variables in [variables, ["secretKey": "wrong", "organizationId": foreign]] {
                let answer = try await database.client.graphQL(Self.databases, variables, url: database.server.v2URL)
                #expect(answer.json.objectValue?["data"] == .null)
                let error = answer.json["errors"][0]
                #expect(error["message"] == "An error has occurred")
                #expect(error["name"] == "GQLError")
                #expect(error["data"]["error"] == "not-authorized")
                #expect(error["time_thrown"].stringValue?.hasSuffix("Z") == true)
            }
        }
    }

    @Test func pagesByLimitAndSkipAreTheTable() async throws {
        try await withDatabase(large: true) { database in
            var rows: [JSONValue] = []
            while true {
                let page = try await database.rows(["n": 70, "s": .number(String(rows.count))])
                #expect(page["data"]["dataCount"] == 300)
                let more = try #require(page["data"]["data"].arrayValue)
                rows += more
                if more.isEmpty { break }
            }
            let truth = try database.server.records(table: database.table.id).map { try JSONParser.parse($0) }
            #expect(
                rows.map { $0["_id"].stringValue } == truth.map { $0["id"].stringValue.map { String($0.dropFirst(3)) } }
            )
            for (row, record) in zip(rows, truth) {
                let full = record["fields"].objectValue?.members.filter { !$0.value["value"].isNull } ?? []
                let cols = row["cols"].arrayValue ?? []
                #expect(cols.count == full.count, "an empty cell is left out")
                for col in cols {
                    let id = col["fieldId"].stringValue ?? ""
                    let expected = full.first { $0.name.hasSuffix("|fld" + id) }?.value["value"]
                    #expect(col["value"].canonicalText == expected?.canonicalText)
                }
            }
        }
    }

    @Test func skippingGoesByTheOrderOfTheMoment() async throws {
        try await withDatabase { database in
            let before = try await database.rows(["n": 500])["data"]["data"].arrayValue ?? []
            let order = try before.map { try #require($0["_id"].stringValue) }
            try database.server.edit(
                table: database.table.id,
                [.delete(record: order[1]), .move(record: order[5], before: order[0])]
            )
            let page = try await database.rows(["n": 3, "s": 1])["data"]["data"].arrayValue ?? []
            #expect(page.map { $0["_id"].stringValue } == [order[0], order[2], order[3]])
        }
    }

    @Test func aFilterComparesCells() async throws {
        try await withDatabase(large: true) { database in
            let city = try database.field(.dropdown)
            let filter = JSONValue.object(JSONObject([(city.stringValue ?? "", "Omaha")]))
            let answer = try await database.rows(["f": filter, "n": 500])
            let rows = try #require(answer["data"]["data"].arrayValue)
            #expect(!rows.isEmpty && rows.count < 300)
            #expect(answer["data"]["dataCount"] == .number(String(rows.count)))
            #expect(
                rows.allSatisfy { row in
                    row["cols"].arrayValue?.contains { $0["fieldId"] == city && $0["value"]["val"] == "Omaha" } == true
                }
            )
            let one = try await database.rows(["f": ["_id": rows[0]["_id"]]])
            #expect(one["data"]["data"].arrayValue?.count == 1)
            let unknown = try await database.rows(["f": ["nothing": 1]])
            #expect(unknown["errors"][0]["data"]["error"] == "bad-filter")
        }
    }

    @Test func rowsAreInsertedUpdatedAndDeleted() async throws {
        try await withDatabase { database in
            let name = try database.field(.text)
            let insert = """
                mutation insertRow($secretKey: String!, $databaseId: ID!, $row: DataRowInput!) {
                  insertRow(secretKey: $secretKey, databaseId: $databaseId, row: $row) { _id cols { fieldId value } }
                }
                """
            let row: JSONValue = ["cols": [["fieldId": name, "value": ["val": "Foo Bar"]]]]
            let inserted = try await database.run(insert, ["row": row])["data"]["insertRow"]
            let sent = inserted["cols"].arrayValue?.filter { $0["fieldId"] == name }.map { $0["value"]["val"] }
            #expect(sent == ["Foo Bar"])
            let update = """
                mutation updateRow($secretKey: String!, $databaseId: ID!, $rowId: ID!, $row: DataRowInput!) {
                  updateRow(secretKey: $secretKey, databaseId: $databaseId, rowId: $rowId, row: $row) { _id }
                }
                """
            let changed: JSONValue = ["cols": [["fieldId": name, "value": ["val": "Bar"]]]]
            let updated = try await database.run(update, ["rowId": inserted["_id"], "row": changed])
            #expect(updated["data"]["updateRow"]["_id"] == inserted["_id"])
            let delete = """
                mutation deleteRow($secretKey: String!, $databaseId: ID!, $rowId: ID!) {
                  deleteRow(secretKey: $secretKey, databaseId: $databaseId, rowId: $rowId)
                }
                """
            #expect(try await database.run(delete, ["rowId": inserted["_id"]])["data"]["deleteRow"] == true)
            let again = try await database.run(delete, ["rowId": inserted["_id"]])
            #expect(again["errors"][0]["data"]["error"] == "not-found")
        }
    }

    @Test func upsertInsertsUpdatesOrRefuses() async throws {
        try await withDatabase { database in
            let (name, city) = (try database.field(.text), try database.field(.dropdown))
            let upsert = """
                mutation u($secretKey: String!, $databaseId: ID!, $m: [ID!]!, $row: DataRowInput!) {
                  upsertRow(secretKey: $secretKey, databaseId: $databaseId, matchFields: $m, row: $row) { _id }
                }
                """
            func row(_ name: JSONValue, _ value: JSONValue, _ more: [JSONValue] = []) -> JSONValue {
                ["cols": .array([["fieldId": name, "value": ["val": value]]] + more)]
            }
            let count = database.table.recordCount
            let first = try await database.run(upsert, ["m": [name], "row": row(name, "Unique Name")])
            let second = try await database.run(upsert, ["m": [name], "row": row(name, "Unique Name")])
            #expect(first["data"]["upsertRow"]["_id"].stringValue != nil)
            #expect(second["data"]["upsertRow"] == first["data"]["upsertRow"])
            #expect(database.table.recordCount == count + 1)
            let empty = try await database.run(upsert, ["m": [name], "row": row(city, "Omaha")])
            #expect(empty["errors"][0]["data"]["error"] == "bad-match-fields")
            for text in ["A", "B"] {
                let more: JSONValue = ["fieldId": city, "value": ["val": "Nowhere"]]
                _ = try await database.run(upsert, ["m": [name], "row": row(name, .string(text), [more])])
            }
            let many = try await database.run(upsert, ["m": [city], "row": row(city, "Nowhere")])
            #expect(many["errors"][0]["data"]["error"] == "multiple-matches")
        }
    }
}
