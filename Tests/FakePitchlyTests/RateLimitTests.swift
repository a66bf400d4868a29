import FakePitchly
import Testing

@Suite struct RateLimitTests {
    @Test func theTokenEndpointRefusesWhatIsTooMuchAndSpendsNothing() async throws {
        try await withFake {
            $0.tokenRateLimit = RateLimit(perSecond: 0.001, burst: 2)
        } _: { server, client in
            let organization = server.organizationIDs[0]
            var token = try server.makeGrant(organization: organization).refreshToken
            for _ in 0..<2 { token = try await client.refresh(token).refreshToken }
            let refused = try await client.refresh(token)
            #expect(refused.status == 429)
            #expect(Int(refused.headers["retry-after"] ?? "") ?? 0 > 0)
            #expect(server.currentRefreshTokens(organization: organization) == [token])
            let totals = server.ledger().totals
            #expect(totals.throttled == 1 && totals.presentedTwice == 0 && totals.posts == 3)
        }
    }

    @Test func eachOrganisationHasItsOwnLimitAtTheAPI() async throws {
        try await withFake {
            $0.apiRateLimit = RateLimit(perSecond: 0.001, burst: 1)
        } _: { server, client in
            for organization in server.organizationIDs {
                let token = try server.makeSession(organization: organization)
                #expect(try await client.graphQL("{ organization { id } }", token: token).status == 200)
                let refused = try await client.graphQL("{ organization { id } }", token: token)
                #expect(refused.status == 429)
                #expect(refused.headers["retry-after"] != nil)
            }
        }
    }

    @Test func whatIsInTheHouseAtOnceIsCounted() async throws {
        try await withFake { server, client in
            let gate = FaultGate()
            var rule = FaultRule(.hold(gate, .after), at: .token)
            rule.count = nil
            server.faults.add(rule)
            let tokens = try server.organizationIDs.map { try server.makeGrant(organization: $0).refreshToken }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for token in tokens { group.addTask { try await client.refresh(token).status } }
                await gate.arrivals(3)
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses == [200, 200, 200])
            #expect(server.ledger().totals.maxInFlight == 3)
            #expect(server.totals.maxPerSecond > 0)
            #expect(server.ledger().organizations.allSatisfy { $0.maxInFlight == 1 })
            #expect(server.requests.entries().allSatisfy { $0.inFlight == 1 })
        }
    }

    @Test func pagesOfOneOrganisationThatAreAskedForAtOnceAreSeen() async throws {
        try await withFake { server, client in
            let gate = FaultGate()
            var rule = FaultRule(.hold(gate, .before), at: .graphql)
            rule.count = nil
            server.faults.add(rule)
            let token = try server.makeSession(organization: server.organizationIDs[0])
            _ = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask { try await client.graphQL("{ organization { id } }", token: token).status }
                }
                await gate.arrivals(4)
                gate.open()
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(server.requests.entries().map(\.inFlight).sorted() == [1, 2, 3, 4])
            _ = try await client.graphQL("{ organization { id } }", token: token)
            #expect(server.requests.entries().last?.inFlight == 1)
        }
    }

    @Test func theFakeStopsThoughARequestIsHeld() async throws {
        let gate = FaultGate()
        let connection = try await withFake { server, _ in
            server.faults.add(FaultRule(.hold(gate, .before), at: .authorize))
            let connection = try await RawConnection.open(port: server.port)
            try await connection.send("GET \(FakePaths.authorize) HTTP/1.1\r\nhost: localhost\r\n\r\n")
            await gate.arrivals(1)
            return connection
        }
        #expect(try await connection.readToEnd().text == "")
    }
}
