import FakePitchly
import Testing

@Suite struct CursorTests {
    private struct Pages {
        let server: FakePitchlyServer
        let client: FakeClient
        let table: FakeTable
        let token: String

        func page(after cursor: JSONValue = nil, first: Int = 10, updatedAfter: String? = nil) async throws -> JSONValue
        {
            let variables: JSONValue = [
                "t": .string(table.id), "n": .number(String(first)), "c": cursor,
                "f": updatedAfter.map { ["updatedAfter": .string($0)] } ?? nil,
            ]
            let answer = try await client.graphQL(PlatformAPITests.records, variables, token: token)
            return answer.json["errors"].isNull ? answer.json["data"]["recordsConnection"] : answer.json
        }

        func ids(_ page: JSONValue) -> [String] {
            (page["edges"].arrayValue ?? []).compactMap { $0["node"]["id"].stringValue }
        }

        func order() throws -> [String] {
            try server.records(table: table.id).compactMap { try JSONParser.parse($0)["id"].stringValue }
        }
    }

    private func withPages<Result>(_ body: (Pages) async throws -> Result) async throws -> Result {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[0])
            let token = try server.makeSession(organization: organization.id)
            return try await body(
                Pages(server: server, client: client, table: organization.tables[0], token: token)
            )
        }
    }

    @Test func aCursorSurvivesEditsBeforeAndBehindIt() async throws {
        try await withPages { pages in
            let order = try pages.order()
            let first = try await pages.page()
            let cursor = first["pageInfo"]["endCursor"]
            try pages.server.edit(
                table: pages.table.id,
                [
                    .delete(record: order[0]), .delete(record: order[9]), .delete(record: order[12]),
                    .move(record: order[20], before: order[11]), .insert(cells: JSONObject()),
                ]
            )
            let second = try await pages.page(after: cursor)
            let expected = [order[10], order[20], order[11]] + order[13...19]
            #expect(pages.ids(second) == expected)
        }
    }

    @Test func aRecordMovedAcrossTheCursorIsMissedOrComesTwice() async throws {
        try await withPages { pages in
            let order = try pages.order()
            let cursor = try await pages.page()["pageInfo"]["endCursor"]
            try pages.server.edit(
                table: pages.table.id,
                [.move(record: order[15], before: order[0]), .move(record: order[3], before: nil)]
            )
            var rest: [String] = []
            var at = cursor
            while true {
                let page = try await pages.page(after: at, first: 100)
                rest += pages.ids(page)
                at = page["pageInfo"]["endCursor"]
                if page["pageInfo"]["hasNextPage"] == false { break }
            }
            #expect(!rest.contains(order[15]))
            #expect(rest.last == order[3])
        }
    }

    @Test func aCursorOfAnotherTableOrAMadeUpOneIsRefused() async throws {
        try await withPages { pages in
            let other = try pages.server.organization(pages.table.organization).tables[1]
            let foreign = Pages(server: pages.server, client: pages.client, table: other, token: pages.token)
            let cursor = try await foreign.page()["pageInfo"]["endCursor"]
            for wrong in [cursor, "", "abc", "AAAAAAAAAAAAAAAA"] {
                let answer = try await pages.page(after: wrong)
                #expect(answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT", "\(wrong)")
            }
        }
    }

    @Test func theLastPageHasNoNext() async throws {
        try await withPages { pages in
            let all = try await pages.page(first: 300)
            #expect(pages.ids(all).count == 300)
            #expect(all["pageInfo"]["hasNextPage"] == false)
            let behind = try await pages.page(after: all["pageInfo"]["endCursor"])
            #expect(pages.ids(behind) == [])
            #expect(behind["pageInfo"]["endCursor"].isNull)
            #expect(behind["totalCount"] == 300)
        }
    }

    @Test func onlyWhatChangedSinceThenIsGiven() async throws {
        try await withPages { pages in
            let order = try pages.order()
            let none = try await pages.page(first: 100, updatedAfter: "2024-01-01T00:00:00Z")
            #expect(pages.ids(none) == [])
            let text = try #require(pages.table.fields.first { $0.type == .text }).id
            let cells = JSONObject([(text, ["val": "changed"])])
            try pages.server.edit(
                table: pages.table.id,
                [.update(record: order[200], cells: cells), .update(record: order[7], cells: cells)]
            )
            let changed = try await pages.page(first: 1, updatedAfter: "2024-01-01T00:00:00Z")
            #expect(pages.ids(changed) == [order[7]])
            #expect(changed["totalCount"] == 2)
            #expect(changed["pageInfo"]["hasNextPage"] == true)
            let next = try await pages.page(
                after: changed["pageInfo"]["endCursor"],
                updatedAfter: "2024-01-01T00:00:00+00:00"
            )
            #expect(pages.ids(next) == [order[200]])
            let older = try await pages.page(first: 300, updatedAfter: "2023-01-01T00:00:00Z")
            let expected = try await updated(pages, after: "2023-01-01T00:00:00.000Z")
            #expect(pages.ids(older) == expected)
            #expect(!expected.isEmpty && expected.count < 300)
        }
    }

    /// By the Updated At field, straight from the truth.
    private func updated(_ pages: Pages, after time: String) async throws -> [String] {
        let field = try #require(pages.table.fields.first { $0.type == .updatedAt }).compositeName
        return try pages.server.records(table: pages.table.id)
            .map { try JSONParser.parse($0) }
            .filter { ($0["fields"][field]["value"]["val"].stringValue ?? "") > time }
            .compactMap { $0["id"].stringValue }
    }

    @Test func aTimeThatIsNoneIsRefused() async throws {
        try await withPages { pages in
            let answer = try await pages.page(updatedAfter: "yesterday")
            #expect(answer["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT")
        }
    }
}
