import FakePitchly
import Testing

@Suite struct GrantTests {
    @Test func aSessionsAccessTokenIsExchangedForAPair() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[1]
            let session = try server.makeSession(organization: organization)
            let answer = try await client.token([("grant_type", "access_token"), ("access_token", session)])
            #expect(answer.status == 200)
            #expect(answer.accessToken.wholeMatch(of: /plyu_[A-Za-z0-9_-]{43}/) != nil)
            #expect(answer.json["expires_in"] == 3600)
            #expect(answer.json["token_type"] == "Bearer")
            #expect(answer.json["scope"] == "records:update teams:read workspace_members:read")
            #expect(server.currentRefreshTokens(organization: organization) == [answer.refreshToken])
            #expect(server.accepts(accessToken: session), "the session lives on")
        }
    }

    @Test func theAccessTokenExchangeMayLiveElsewhereUnderOtherNames() async throws {
        try await withFake { configuration in
            configuration.oauth.accessTokenExchange.path = "/api/oauth/long-lived"
            configuration.oauth.accessTokenExchange.grantType = "urn:pitchly:access"
            configuration.oauth.accessTokenExchange.parameter = "token"
        } _: { server, client in
            let session = try server.makeSession(organization: server.organizationIDs[0])
            let fields = [("grant_type", "urn:pitchly:access"), ("token", session)]
            #expect(try await client.token(fields, path: "/api/oauth/long-lived").status == 200)
            #expect(try await client.token([("token", session)], path: "/api/oauth/long-lived").status == 200)
            let usual = try await client.token([("grant_type", "access_token"), ("access_token", session)])
            #expect(usual.error == "unsupported_grant_type")
        }
    }

    @Test func anExpiredOrInvalidatedAccessTokenIsNotExchanged() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[1]
            let expired = try server.makeSession(organization: organization)
            server.clock.advance(by: .seconds(3600))
            let invalidated = try server.makeSession(organization: organization)
            #expect(server.invalidateAccessTokens(organization: organization) == 1)
            for token in [expired, invalidated, "plyu_unknown"] {
                let answer = try await client.token([("grant_type", "access_token"), ("access_token", token)])
                #expect(answer.error == "invalid_grant")
            }
        }
    }

    @Test func clientCredentialsGiveAnAccessTokenForOneOrganisation() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[2]
            let answer = try await client.token([
                ("grant_type", "client_credentials"), ("organization_id", organization),
            ])
            #expect(answer.status == 200)
            #expect(answer.json["refresh_token"].isNull)
            let who = try await client.graphQL("{ organization { id } }", token: answer.accessToken)
            #expect(who.json["data"]["organization"]["id"] == .string(organization))
            let unknown = try await client.token([
                ("grant_type", "client_credentials"), ("organization_id", "org44xgwQKnMNGJFPFdB"),
            ])
            #expect(unknown.error == "invalid_request")
        }
    }

    @Test func clientCredentialsMayGiveARefreshToken() async throws {
        try await withFake {
            $0.oauth.clientCredentialsGiveRefreshToken = true
        } _: { server, client in
            let fields = [("grant_type", "client_credentials"), ("organization_id", server.organizationIDs[2])]
            let answer = try await client.token(fields)
            #expect(try await client.refresh(answer.refreshToken).status == 200)
        }
    }

    @Test func theClientIsAuthenticatedInTheBodyOnly() async throws {
        try await withFake { server, client in
            let session = try server.makeSession(organization: server.organizationIDs[0])
            let grant = [("grant_type", "access_token"), ("access_token", session)]
            for (id, secret) in [("", ""), ("other", server.configuration.oauth.clientSecret)] {
                let answer = try await client.token(grant + [("client_id", id), ("client_secret", secret)])
                #expect(answer.status == 400)
                #expect(answer.error == "invalid_client")
            }
            #expect(try await basic(server, client, grant).error == "invalid_client")
            #expect(server.requests.entries().last?.clientAuthentication == "basic")
        }
    }

    @Test func basicAuthenticationIsAcceptedWhereItIsSet() async throws {
        try await withFake {
            $0.oauth.clientAuthentication = .basic
        } _: { server, client in
            let session = try server.makeSession(organization: server.organizationIDs[0])
            let grant = [("grant_type", "access_token"), ("access_token", session)]
            #expect(try await client.token(grant).error == "invalid_client")
            #expect(try await basic(server, client, grant).status == 200)
        }
    }

    private func basic(
        _ server: FakePitchlyServer,
        _ client: FakeClient,
        _ fields: [(String, String)]
    ) async throws -> FakeClient.Answer {
        let credentials = "\(server.configuration.oauth.clientID):\(server.configuration.oauth.clientSecret)"
        return try await client.send(
            "POST",
            server.tokenURL,
            headers: [
                ("content-type", "application/x-www-form-urlencoded"),
                ("authorization", "Basic \(base64(credentials))"),
            ],
            body: fields.map { "\($0.0)=\(FakeClient.encode($0.1))" }.joined(separator: "&")
        )
    }

    @Test(arguments: [400, 200])
    func errorsHaveTheStatusThatIsSet(status: Int) async throws {
        try await withFake {
            $0.oauth.errorStatus = status
        } _: { _, client in
            let answer = try await client.refresh("plyr_unknown")
            #expect(answer.status == status)
            #expect(answer.error == "invalid_grant")
            #expect(answer.json["error_description"].stringValue?.isEmpty == false)
        }
    }

    @Test func requestsThatBreakTheRulesAreRefused() async throws {
        try await withFake { server, client in
            let refresh = try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            let missing = try await client.token([])
            #expect(missing.error == "invalid_request")
            #expect(try await client.token([("grant_type", "password")]).error == "unsupported_grant_type")
            #expect(try await client.token([("grant_type", "refresh_token")]).error == "invalid_request")
            let twice = [("grant_type", "refresh_token"), ("refresh_token", refresh), ("refresh_token", refresh)]
            #expect(try await client.token(twice).error == "invalid_request")
            let asJSON = try await client.send(
                "POST",
                server.tokenURL,
                headers: [("content-type", "application/json")],
                body: "{\"grant_type\":\"refresh_token\"}"
            )
            #expect(asJSON.error == "invalid_request")
            #expect(try await client.send("GET", server.tokenURL).error == "invalid_request")
            #expect(try await client.refresh(refresh).status == 200, "none of these has spent it")
        }
    }

    @Test func scopeNarrowsTheAccessTokenAndEmptyMeansReadOnly() async throws {
        try await withFake { server, client in
            let organization = server.organizationIDs[1]
            let table = try server.organization(organization).tables[0].id
            let refresh = try server.makeGrant(organization: organization).refreshToken
            let narrow = try await client.token([
                ("grant_type", "refresh_token"), ("refresh_token", refresh), ("scope", ""),
            ])
            #expect(narrow.json["scope"] == "")
            let update = "mutation u($t: ID!) { updateRecords(tableId: $t, records: []) { id } }"
            let refused = try await client.graphQL(update, ["t": .string(table)], token: narrow.accessToken)
            #expect(refused.json["errors"][0]["extensions"]["code"] == "FORBIDDEN")
            let wide = try await client.refresh(narrow.refreshToken)
            let allowed = try await client.graphQL(update, ["t": .string(table)], token: wide.accessToken)
            #expect(allowed.json["data"]["updateRecords"] == [])
            let unknown = try await client.token([
                ("grant_type", "refresh_token"), ("refresh_token", wide.refreshToken), ("scope", "records:burn"),
            ])
            #expect(unknown.error == "invalid_scope")
        }
    }

    @Test func expiresInMayBeANumericString() async throws {
        try await withFake {
            $0.oauth.expiresIn = .numericString
            $0.oauth.accessTokenSeconds = 20
            $0.oauth.sendsTokenType = false
        } _: { server, client in
            let answer = try await client.refresh(
                try server.makeGrant(organization: server.organizationIDs[0]).refreshToken
            )
            #expect(answer.json["expires_in"] == "20")
            #expect(answer.json["token_type"].isNull)
        }
    }
}
