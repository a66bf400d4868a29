import FakePitchly
import Testing

@Suite struct AuthorizeTests {
    private static let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    /// RFC 7636, appendix B.
    private static let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    private static let callback = "https://app.example/oauth/callback?from=pitchly"

    private func withApp<Result>(
        autoApproves: Bool = true,
        _ change: (inout FakePitchlyConfiguration) -> Void = { _ in },
        _ body: (FakePitchlyServer, FakeClient) async throws -> Result
    ) async throws -> Result {
        try await withFake {
            $0.oauth.redirectURIs = [Self.callback]
            $0.oauth.autoApproves = autoApproves
            change(&$0)
        } _: { server, client in
            try await body(server, client)
        }
    }

    private func authorizeFields(_ server: FakePitchlyServer) -> [String: String] {
        [
            "response_type": "code", "client_id": server.configuration.oauth.clientID, "redirect_uri": Self.callback,
            "state": "a b&c", "code_challenge_method": "S256", "code_challenge": Self.challenge,
        ]
    }

    private func form(_ fields: [String: String]) -> String {
        fields.map { "\($0.key)=\(FakeClient.encode($0.value))" }.joined(separator: "&")
    }

    private func authorize(
        _ client: FakeClient,
        _ change: (inout [String: String]) -> Void = { _ in }
    ) async throws -> FakeClient.Answer {
        var fields = authorizeFields(client.server)
        change(&fields)
        return try await client.send("GET", "\(client.server.oauthOrigin)\(FakePaths.authorize)?\(form(fields))")
    }

    private func redeem(
        _ client: FakeClient,
        _ code: String,
        redirectURI: String = AuthorizeTests.callback,
        verifier: String? = AuthorizeTests.verifier
    ) async throws -> FakeClient.Answer {
        var fields = [("grant_type", "authorization_code"), ("code", code), ("redirect_uri", redirectURI)]
        if let verifier { fields.append(("code_verifier", verifier)) }
        return try await client.token(fields)
    }

    @Test func aCodeComesBackWithTheStateAndIsExchangedOnce() async throws {
        try await withApp { server, client in
            let organization = server.organizationIDs[2]
            let answer = try await authorize(client) { $0["organization"] = organization }
            #expect(answer.status == 302)
            let location = try #require(answer.headers["location"])
            #expect(location.hasPrefix(Self.callback + "&code="))
            let parameters = query(of: location)
            #expect(parameters["state"] == "a b&c")
            let code = try #require(parameters["code"])
            let tokens = try await redeem(client, code)
            #expect(tokens.status == 200)
            #expect(server.currentRefreshTokens(organization: organization) == [tokens.refreshToken])
            let again = try await redeem(client, code)
            #expect(again.error == "invalid_grant")
            #expect(server.currentRefreshTokens(organization: organization) == [], "its tokens are revoked")
            #expect(!server.accepts(accessToken: tokens.accessToken))
        }
    }

    @Test func theVerifierMustMatchTheChallenge() async throws {
        try await withApp { server, client in
            for verifier in [nil, "short", String(Self.verifier.reversed()), Self.challenge] {
                let code = try server.makeCode(organization: server.organizationIDs[0], codeChallenge: Self.challenge)
                    .code
                #expect(try await redeem(client, code, verifier: verifier).error == "invalid_grant")
                #expect(try await redeem(client, code).status == 200, "a wrong verifier spends no code")
            }
        }
    }

    @Test func aChallengeWithoutAMethodIsThePlainVerifier() async throws {
        try await withApp { _, client in
            let answer = try await authorize(client) {
                $0["code_challenge_method"] = nil
                $0["code_challenge"] = Self.verifier
            }
            let code = try #require(query(of: answer.headers["location"] ?? "")["code"])
            #expect(try await redeem(client, code).status == 200)
        }
    }

    @Test func theRedirectURIMustBeTheSameToTheLetter() async throws {
        try await withApp { server, client in
            for wrong in [Self.callback + "/", Self.callback.uppercased(), "https://evil.example/"] {
                let answer = try await authorize(client) { $0["redirect_uri"] = wrong }
                #expect(answer.status == 400)
                #expect(answer.headers["location"] == nil, "an unregistered URI is never redirected to")
            }
            let made = try server.makeCode(organization: server.organizationIDs[0], codeChallenge: Self.challenge)
            #expect(made.redirectURI == Self.callback)
            #expect(try await redeem(client, made.code, redirectURI: "https://app.example/").error == "invalid_grant")
        }
    }

    @Test func aCodeExpires() async throws {
        try await withApp { server, client in
            let code = try server.makeCode(organization: server.organizationIDs[0], codeChallenge: Self.challenge).code
            server.clock.advance(by: .seconds(60))
            #expect(try await redeem(client, code).error == "invalid_grant")
        }
    }

    @Test func requestsThatAreWrongGoBackWithAnError() async throws {
        try await withApp { _, client in
            let changes: [(String, String?, String)] = [
                ("response_type", "token", "unsupported_response_type"), ("code_challenge", nil, "invalid_request"),
                ("code_challenge", "example", "invalid_request"), ("code_challenge_method", "S512", "invalid_request"),
            ]
            for (name, value, error) in changes {
                let answer = try await authorize(client) { $0[name] = value }
                let parameters = query(of: answer.headers["location"] ?? "")
                #expect(parameters["error"] == error, "\(name)")
                #expect(parameters["state"] == "a b&c")
                #expect(parameters["code"] == nil)
            }
            #expect(try await authorize(client) { $0["client_id"] = "appSomebodyElse22222" }.status == 400)
        }
    }

    @Test func aChallengeMayBeLeftOutWhereItIsSetSo() async throws {
        try await withApp {
            $0.oauth.requiresPKCE = false
        } _: { _, client in
            let answer = try await authorize(client) {
                $0["code_challenge"] = nil
                $0["code_challenge_method"] = nil
            }
            let code = try #require(query(of: answer.headers["location"] ?? "")["code"])
            #expect(try await redeem(client, code, verifier: nil).status == 200)
        }
    }

    @Test func thePageAsksAndAPersonDecides() async throws {
        try await withApp(autoApproves: false) { server, client in
            let page = try await authorize(client) { $0["state"] = "\"><script>" }
            #expect(page.status == 200)
            #expect(page.headers["content-type"]?.hasPrefix("text/html") == true)
            #expect(page.body.contains(server.organizationIDs[1]))
            #expect(!page.body.contains("\"><script>"))
            for (decision, expected) in [("allow", "code"), ("deny", "error")] {
                var fields = authorizeFields(server)
                fields["decision"] = decision
                fields["organization"] = server.organizationIDs[1]
                let answer = try await client.send(
                    "POST",
                    server.oauthOrigin + FakePaths.authorize,
                    headers: [("content-type", "application/x-www-form-urlencoded")],
                    body: form(fields)
                )
                #expect(answer.status == 302)
                #expect(query(of: answer.headers["location"] ?? "")[expected] != nil)
            }
        }
    }
}
