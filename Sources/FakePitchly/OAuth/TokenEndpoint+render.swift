import Foundation

/// Client authentication and what the answers look like.
extension TokenEndpoint {
    private func basicCredentials(_ request: FakeRequest) -> (id: String, secret: String)? {
        guard let value = request.header("authorization"), value.lowercased().hasPrefix("basic "),
            let data = Data(base64Encoded: String(value.dropFirst(6))),
            let text = String(validating: data, as: UTF8.self)
        else { return nil }
        let halves = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2 else { return nil }
        return (String(halves[0]), String(halves[1]))
    }

    /// For the request log.
    func clientAuthentication(_ request: FakeRequest, _ form: FormFields?) -> String {
        if basicCredentials(request) != nil { return "basic" }
        return form?["client_secret"] == nil ? "none" : "body"
    }

    func authenticate(_ request: FakeRequest, _ form: FormFields) throws(OAuthError) {
        let isRight = { (id: String?, secret: String?) in
            id == behaviour.clientID && secret == behaviour.clientSecret
        }
        let basic = basicCredentials(request)
        let accepted: Bool
        switch behaviour.clientAuthentication {
        case .body: accepted = isRight(form["client_id"], form["client_secret"])
        case .basic: accepted = isRight(basic?.id, basic?.secret)
        case .either:
            accepted = isRight(form["client_id"], form["client_secret"]) || isRight(basic?.id, basic?.secret)
        }
        if !accepted { throw .invalidClient }
    }

    func render(_ error: OAuthError) -> FakeReply {
        .json(
            ["error": .string(error.code), "error_description": .string(error.description)],
            status: behaviour.errorStatus
        )
    }

    func render(_ tokens: TokenReply, _ changes: [Fault.TokenReplyFault]) -> FakeReply {
        var object = JSONObject([
            ("access_token", .string(tokens.accessToken)), ("expires_in", spelled(tokens.expiresInSeconds)),
        ])
        if let refreshToken = tokens.refreshToken { object["refresh_token"] = .string(refreshToken) }
        object["scope"] = .string(tokens.scopes.joined(separator: " "))
        if behaviour.sendsTokenType { object["token_type"] = "Bearer" }
        var isMalformed = false
        for change in changes {
            switch change {
            case .withoutRefreshToken: object["refresh_token"] = nil
            case .withoutAccessToken: object["access_token"] = nil
            case .expiresIn(let value): object["expires_in"] = value
            case .extraMembers:
                object["organization"] = ["id": .string(tokens.organization), "tags": [1, nil, "\u{1F511}"]]
                object["error_uri"] = nil
            case .error(let code): return render(OAuthError(code: code, description: "A fault of the fake."))
            case .malformedJSON: isMalformed = true
            }
        }
        let bytes = Array(JSONValue.object(object).text.utf8)
        return .json(isMalformed ? Array(bytes.prefix(bytes.count * 3 / 4)) : bytes)
    }

    private func spelled(_ seconds: Int) -> JSONValue {
        switch behaviour.expiresIn {
        case .number: .number(String(seconds))
        case .numericString: .string(String(seconds))
        }
    }
}
