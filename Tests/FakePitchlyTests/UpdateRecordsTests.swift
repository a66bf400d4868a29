import FakePitchly
import Testing

@Suite struct UpdateRecordsTests {
    private static let update = """
        mutation updateRecords($tableId: ID!, $records: [UpdateRecordInput!]!) {
          updateRecords(tableId: $tableId, records: $records) { id fields { fieldId value stringValue } }
        }
        """

    private func withTable<Result>(
        _ body: (FakePitchlyServer, FakeTable, (JSONValue) async throws -> JSONValue) async throws -> Result
    ) async throws -> Result {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[1])
            let table = organization.tables[0]
            let token = try server.makeSession(organization: organization.id)
            return try await body(server, table) { records in
                let variables: JSONValue = ["tableId": .string(table.id), "records": records]
                return try await client.graphQL(Self.update, variables, token: token).json
            }
        }
    }

    private func ids(_ server: FakePitchlyServer, _ table: FakeTable) throws -> [JSONValue] {
        try server.records(table: table.id).map { try JSONParser.parse($0)["id"] }
    }

    @Test func aWrittenCellIsReadBackWithItsText() async throws {
        try await withTable { server, table, update in
            let record = try ids(server, table)[3]
            let samples: [(FieldType, JSONValue, JSONValue)] = [
                (.text, ["val": "Name \"q\"\n👩‍👩‍👧"], "Name \"q\"\n👩‍👩‍👧"), (.number, ["val": 2300], "2,300"),
                (.number, ["val": -1234567.25], "-1,234,567.25"), (.boolean, ["val": true], "Yes"),
                (.dropdown, ["val": "Lincoln"], "Lincoln"),
                (.dropdownMultiple, ["val": ["Lincoln", "Omaha"]], ["Lincoln", "Omaha"]),
                (.date, ["val": "2024-02-29"], "02/29/2024"),
                (.currency, ["val": 23045, "currency": "USD"], "$23,045"),
                (.attachment, ["val": "https://a.example/x.jpg"], "https://a.example/x.jpg"),
                (.multilineText, ["val": nil], nil), (.date, ["val": nil], nil),
            ]
            for (type, value, text) in samples {
                let field = try #require(table.fields.first { $0.type == type })
                let cells: JSONValue = [["fieldId": .string(field.compositeName), "value": value]]
                let answer = try await update([["id": record, "fields": cells]])
                let written = answer["data"]["updateRecords"][0]["fields"].arrayValue?
                    .first { $0["fieldId"] == .string(field.compositeName) }
                let expected: JSONValue = text.isNull ? .null : value
                #expect(written?["value"] == expected, "\(type)")
                #expect(written?["stringValue"] == text, "\(type)")
            }
        }
    }

    @Test func whatDoesNotFitIsRefusedAndNothingIsWritten() async throws {
        try await withTable { server, table, update in
            let before = try server.digest(table: table.id)
            let record = try ids(server, table)[0]
            let good = try #require(table.fields.first { $0.type == .text }).id
            let bad: [(FieldType, JSONValue)] = [
                (.text, ["val": 3]), (.number, ["val": "3"]), (.boolean, ["val": "Yes"]),
                (.date, ["val": "2024-02-30"]),
                (.dropdownMultiple, ["val": "one"]), (.currency, ["val": "3"]), (.formula, ["val": 1]),
                (.lookup, ["val": ["x"]]), (.createdAt, ["val": "2024-01-01T00:00:00Z"]), (.text, "bare"),
            ]
            for (type, value) in bad {
                let field = try #require(table.fields.first { $0.type == type }).id
                let cells: JSONValue = [
                    ["fieldId": .string(good), "value": ["val": "fine"]], ["fieldId": .string(field), "value": value],
                ]
                let answer = try await update([["id": record, "fields": cells]])
                #expect(answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", "\(type)")
            }
            let unknown = try await update([
                ["id": record, "fields": [["fieldId": .string(good), "value": ["val": "fine"]]]],
                ["id": "rec22222222222222222", "fields": []],
            ])
            #expect(unknown["errors"][0]["extensions"]["code"] == "NOT_FOUND")
            #expect(try server.digest(table: table.id) == before)
        }
    }

    @Test func aWriteMovesUpdatedAtAndTheFormulaButNotCreatedAt() async throws {
        try await withTable { server, table, update in
            let number = try ids(server, table)[5]
            let truth = { (type: FieldType) throws -> JSONValue in
                let field = try #require(table.fields.first { $0.type == type }).compositeName
                let record = try JSONParser.parse(try server.records(table: table.id)[5])
                return record["fields"][field]["value"]["val"]
            }
            let (created, updated) = (try truth(.createdAt), try truth(.updatedAt))
            let field = try #require(table.fields.first { $0.type == .text }).id
            _ = try await update([["id": number, "fields": [["fieldId": .string(field), "value": ["val": "new"]]]]])
            #expect(try truth(.createdAt) == created)
            let now = try #require(try truth(.updatedAt).stringValue)
            #expect(now > (updated.stringValue ?? "") && now > "2024-06")
        }
    }
}
