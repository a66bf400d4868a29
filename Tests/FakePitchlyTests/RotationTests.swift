import FakePitchly
import Testing

@Suite struct RotationTests {
    @Test func strictlyARefreshTokenIsGoodOnce() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[0]
            let first = try server.makeGrant(organization: organization)
            let second = try await client.refresh(first.refreshToken)
            #expect(second.status == 200)
            #expect(server.currentRefreshTokens(organization: organization) == [second.refreshToken])
            let reused = try await client.refresh(first.refreshToken)
            #expect(reused.status == 400)
            #expect(reused.error == "invalid_grant")
            #expect(server.accepts(accessToken: second.accessToken))
            #expect(try await client.refresh(second.refreshToken).status == 200, "reuse did not harm its successor")
        }
    }

    @Test func ofAHundredPOSTsAtOnceExactlyOneWins() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[0]
            let token = try server.makeGrant(organization: organization).refreshToken
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<100 { group.addTask { try await client.refresh(token).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 200 } == 1)
            #expect(statuses.count { $0 == 400 } == 99)
            let ledger = try #require(server.ledger(organization: organization).organization(organization))
            #expect(ledger.posts == 100)
            #expect(ledger.succeeded == ["refresh_token": 1])
            #expect(ledger.refused == ["invalid_grant": 99])
            #expect(ledger.presentedTwice == 1)
            #expect(ledger.reuses == 99)
            #expect(ledger.generations.map(\.posts) == [100, 0])
            #expect(server.ledger().totals.presentedTwice == 1)
        }
    }

    @Test func reuseKillsTheFamilyWhereItIsSetSo() async throws {
        try await withFake {
            $0.oauth.rotation = .revokeFamilyOnReuse
        } _: { server, client in
            let organization = server.organizationIDs[0]
            let other = try server.makeGrant(organization: organization)
            let first = try server.makeGrant(organization: organization)
            let second = try await client.refresh(first.refreshToken)
            #expect(try await client.refresh(first.refreshToken).error == "invalid_grant")
            #expect(try await client.refresh(second.refreshToken).error == "invalid_grant")
            #expect(!server.accepts(accessToken: second.accessToken))
            #expect(!server.accepts(accessToken: first.accessToken))
            #expect(server.currentRefreshTokens(organization: organization) == [other.refreshToken])
        }
    }

    @Test func withinTheGraceTheSamePairComesAgain() async throws {
        try await withFake {
            $0.oauth.rotation = .grace(seconds: 3000)
        } _: { server, client in
            let first = try server.makeGrant(organization: server.organizationIDs[0])
            let second = try await client.refresh(first.refreshToken)
            server.clock.advance(by: .seconds(2900))
            let again = try await client.refresh(first.refreshToken)
            #expect(again.accessToken == second.accessToken)
            #expect(again.refreshToken == second.refreshToken)
            let third = try await client.refresh(second.refreshToken)
            #expect(try await client.refresh(first.refreshToken).error == "invalid_grant", "its successor is spent")
            server.clock.advance(by: .seconds(3100))
            #expect(try await client.refresh(second.refreshToken).error == "invalid_grant", "the grace is over")
            #expect(try await client.refresh(third.refreshToken).status == 200)
        }
    }

    @Test func refreshingMayKillTheAccessTokenBefore() async throws {
        for kills in [false, true] {
            try await withFake {
                $0.oauth.refreshRevokesAccessToken = kills
            } _: { server, client in
                let first = try server.makeGrant(organization: server.organizationIDs[0])
                let second = try await client.refresh(first.refreshToken)
                #expect(server.accepts(accessToken: first.accessToken) != kills)
                #expect(server.accepts(accessToken: second.accessToken))
            }
        }
    }

    @Test func theLedgerTellsGenerationsApartAndNamesTheValidOne() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[1]
            var token = try server.makeGrant(organization: organization).refreshToken
            for _ in 0..<5 { token = try await client.refresh(token).refreshToken }
            let ledger = try #require(server.ledger().organization(organization))
            #expect(ledger.generations.map(\.generation) == [0, 1, 2, 3, 4, 5])
            #expect(ledger.generations.map(\.posts) == [1, 1, 1, 1, 1, 0])
            #expect(ledger.generations.dropLast().allSatisfy { $0.spentAt != nil })
            #expect(ledger.generations.last?.spentAt == nil)
            #expect(ledger.currentRefreshTokens == [FakePitchlyServer.fingerprint(token)])
            #expect(ledger.generations.last?.fingerprint == ledger.currentRefreshTokens.first)
            #expect(ledger.presentedTwice == 0)
            #expect(ledger.maxInFlight == 1)
        }
    }

    @Test func revokedGrantsAreRefused() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[1]
            let grant = try server.makeGrant(organization: organization)
            server.revokeGrants(organization: organization)
            #expect(try await client.refresh(grant.refreshToken).error == "invalid_grant")
            #expect(server.currentRefreshTokens(organization: organization) == [])
        }
    }

    @Test func secretsListEveryTokenThatWasGivenOut() async throws {
        try await withFake { server, client in
            let grant = try server.makeGrant(organization: server.organizationIDs[1])
            let next = try await client.refresh(grant.refreshToken)
            let secrets = Set(server.secrets)
            let given = [grant.accessToken, grant.refreshToken, next.accessToken, next.refreshToken]
            #expect(secrets.isSuperset(of: given))
            #expect(secrets.contains(server.configuration.oauth.clientSecret))
        }
    }
}
