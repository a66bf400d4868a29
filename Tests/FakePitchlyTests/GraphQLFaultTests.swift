import Testing

@testable import FakePitchly

@Suite struct GraphQLFaultTests {
    private func withRecords<Result>(
        _ body: (FakePitchlyServer, FakeTable, (JSONValue) async throws -> FakeClient.Answer) async throws -> Result
    ) async throws -> Result {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[0])
            let table = organization.tables[0]
            let token = try server.makeSession(organization: organization.id)
            return try await body(server, table) { cursor in
                let variables: JSONValue = ["t": .string(table.id), "n": 100, "c": cursor]
                return try await client.graphQL(PlatformAPITests.records, variables, token: token)
            }
        }
    }

    @Test func theAccessTokenDiesInTheMiddleOfPaging() async throws {
        for lasts in [true, false] {
            try await withRecords { server, table, page in
                var rule = FaultRule(.graphQL(.unauthenticated(invalidates: lasts)), at: .graphql)
                rule.operation = "recordsConnection"
                rule.skip = 1
                let fault = server.faults.add(rule)
                let first = try await page(nil).json["data"]["recordsConnection"]
                #expect(first["edges"].arrayValue?.count == 100)
                let cursor = first["pageInfo"]["endCursor"]
                let second = try await page(cursor)
                #expect(second.status == 200)
                #expect(second.json["errors"][0]["extensions"]["code"] == "UNAUTHENTICATED")
                #expect(second.json.objectValue?["data"] == .null)
                let third = try await page(cursor).json
                #expect(third["errors"].isNull == !lasts)
                #expect(server.faults.hits(of: fault) == 1)
            }
        }
    }

    @Test func aCursorExpiresOnlyWhereThereIsOne() async throws {
        try await withRecords { server, table, page in
            server.faults.add(FaultRule(.graphQL(.expiredCursor)))
            let first = try await page(nil).json["data"]["recordsConnection"]
            let cursor = first["pageInfo"]["endCursor"]
            #expect(try await page(cursor).json["errors"][0]["extensions"]["code"] == "BAD_USER_INPUT")
            #expect(try await page(cursor).json["errors"].isNull)
        }
    }

    @Test func aFullTableLooksEmpty() async throws {
        try await withRecords { server, table, page in
            server.faults.add(FaultRule(.graphQL(.emptyPage)))
            let answer = try await page(nil).json["data"]["recordsConnection"]
            #expect(answer["edges"] == [])
            #expect(answer["totalCount"] == 0)
            #expect(answer["pageInfo"] == ["hasNextPage": false, "endCursor": nil])
        }
    }

    @Test func errorsComeInPlaceOfTheDataOrBesideIt() async throws {
        try await withRecords { server, table, page in
            let codes = ["INTERNAL_SERVER_ERROR", "DOWNSTREAM_SERVICE_ERROR"]
            for keepsData in [false, true] {
                server.faults.add(FaultRule(.graphQL(.errors(codes, keepsData: keepsData))))
                let answer = try await page(nil).json
                #expect(answer["errors"].arrayValue?.map { $0["extensions"]["code"].stringValue } == codes)
                #expect((answer["data"]["recordsConnection"]["edges"].arrayValue?.count == 100) == keepsData)
            }
        }
    }

    @Test func theAnswerIsMalformedThoughItsLengthIsRight() async throws {
        try await withRecords { server, table, page in
            server.faults.add(FaultRule(.graphQL(.malformedJSON)))
            let answer = try await page(nil)
            #expect(answer.status == 200)
            #expect(answer.json.isNull && answer.body.hasPrefix("{\"data\""))
        }
    }

    @Test func aMutationIsDoneThoughItsAnswerIsAnError() async throws {
        try await withFake { server, client in
            let organization = try server.organization(server.organizationIDs[1])
            let table = organization.tables[0]
            let token = try server.makeSession(organization: organization.id)
            let before = try server.digest(table: table.id)
            var rule = FaultRule(.answer(.init(status: 502, body: .html), .after), at: .graphql)
            rule.operation = "updateRecords"
            rule.table = table.id
            server.faults.add(rule)
            let record = try JSONParser.parse(try server.records(table: table.id)[0])["id"]
            let query = """
                mutation u($t: ID!, $r: ID!, $f: ID!) {
                  updateRecords(tableId: $t, records: [{id: $r, fields: [{fieldId: $f, value: {val: "x"}}]}]) { id }
                }
                """
            let variables: JSONValue = ["t": .string(table.id), "r": record, "f": .string(table.fields[0].id)]
            #expect(try await client.graphQL(query, variables, token: token).status == 502)
            #expect(try server.digest(table: table.id) != before)
        }
    }

    @Test func aFaultHitsOnlyWhatItsRuleNames() async throws {
        try await withFake { server, client in
            let tokens = try server.organizationIDs.map { try server.makeSession(organization: $0) }
            var rule = FaultRule(.answer(.init(status: 503), .before))
            rule.organization = server.organizationIDs[1]
            rule.operation = "viewer"
            rule.count = nil
            let fault = server.faults.add(rule)
            for (query, place, status) in [
                ("{ viewer { tier } }", 0, 200), ("{ organization { id } }", 1, 200), ("{ viewer { tier } }", 1, 503),
                ("{ organization { id } viewer { tier } }", 1, 503),
            ] {
                #expect(try await client.graphQL(query, token: tokens[place]).status == status)
            }
            #expect(server.faults.hits(of: fault) == 2)
            server.faults.remove(fault)
            #expect(try await client.graphQL("{ viewer { tier } }", token: tokens[1]).status == 200)
        }
    }

    @Test func chanceIsTheSameForTheSameSeed() throws {
        let draws = { (seed: UInt64) -> [Bool] in
            let plan = FaultPlan()
            var rule = FaultRule(.answer(.init(status: 503), .before))
            rule.count = nil
            rule.probability = 0.3
            rule.seed = seed
            let id = plan.add(rule)
            return (0..<1_000).map { _ in
                let before = plan.hits(of: id)
                _ = plan.faults(for: FaultPlan.Subject(endpoint: .token))
                return plan.hits(of: id) > before
            }
        }
        #expect(draws(1) == draws(1))
        #expect(draws(1) != draws(2))
        #expect((250..<350).contains(draws(3).count { $0 }))
    }
}
