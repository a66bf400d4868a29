/// What happens outside the token endpoint: sessions, codes, and what a person does to tokens.
extension TokenAuthority {
    /// The access token of a person who is logged in to Pitchly: where the seed's flow starts.
    func makeSession(organization: String) -> String {
        let now = clock.now
        return withState { state in
            state.issueAccessToken(
                organization,
                scopes: behaviour.scopes,
                family: nil,
                seconds: behaviour.accessTokenSeconds,
                now: now
            )
        }
    }

    /// A pair as if an authorization code had been exchanged.
    func makeGrant(organization: String) -> TokenReply {
        let now = clock.now
        return withState { state in
            state.issuePair(
                organization,
                by: .authorizationCode,
                scopes: behaviour.scopes,
                seconds: behaviour.accessTokenSeconds,
                now: now
            ).reply
        }
    }

    func makeCode(organization: String, redirectURI: String, pkce: PKCE?) -> String {
        let expiresAt = clock.now + behaviour.codeSeconds * 1_000
        return withState { state in
            let code = TokenText.make(prefix: "plyc_")
            state.codes[code] = TokenState.Code(
                organization: organization,
                redirectURI: redirectURI,
                pkce: pkce,
                expiresAt: expiresAt
            )
            return code
        }
    }

    /// The owner and the scopes of an access token that is valid now.
    func validAccessToken(_ token: String) -> TokenState.AccessToken? {
        let now = clock.now
        return withState { $0.validAccessToken(token, now: now) }
    }

    /// Before their time, as Pitchly may do at any moment.
    ///
    /// - Returns: how many were still valid.
    func invalidateAccessTokens(organization: String) -> Int {
        let now = clock.now
        return withState { state in
            let valid = state.accessTokens.filter {
                $0.value.organization == organization && !$0.value.isInvalidated && $0.value.expiresAt > now
            }
            for token in valid.keys { state.accessTokens[token]?.isInvalidated = true }
            return valid.count
        }
    }

    func invalidate(accessToken: String) { withState { $0.accessTokens[accessToken]?.isInvalidated = true } }

    /// As an administrator who removes the app does.
    func revokeGrants(organization: String) {
        withState { state in
            for family in state.families.indices where state.families[family].organization == organization {
                state.revoke(family: family)
            }
        }
    }

    /// The raw refresh tokens that would be accepted now, oldest family first.
    func currentRefreshTokens(organization: String) -> [String] {
        withState { state in
            state.families.compactMap { $0.organization == organization ? $0.current : nil }
        }
    }

    /// Every token and code that is still known, for a search through logs and process lists.
    func allSecrets() -> [String] {
        withState { state in
            Array(state.refreshTokens.keys) + Array(state.accessTokens.keys) + Array(state.codes.keys)
        } + [behaviour.clientSecret]
    }
}
