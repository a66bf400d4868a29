/// The four exchanges. Each is one step under the lock: of two POSTs with one refresh token exactly
/// one finds it unspent.
extension TokenState {
    struct Terms {
        let scopes: [String]
        let seconds: Int
        let rotation: RotationMode
        let revokesAccessToken: Bool
        let now: Int
    }

    mutating func refresh(_ token: String, _ terms: Terms) throws(OAuthError) -> TokenReply {
        guard let known = refreshTokens[token] else { throw .invalidGrant("The refresh token is unknown.") }
        if known.isRevoked {
            refreshTokens[token]?.reuses += 1
            throw .invalidGrant("The refresh token was revoked.")
        }
        if let spentAt = known.spentAt { return try reuse(token, known, spentAt: spentAt, terms) }
        if terms.revokesAccessToken { invalidateAccessTokens(ofFamily: known.family) }
        let reply = nextPair(
            known.family,
            generation: known.generation + 1,
            by: .refreshToken,
            scopes: terms.scopes,
            seconds: terms.seconds,
            now: terms.now
        )
        refreshTokens[token]?.spentAt = terms.now
        if case .grace = terms.rotation { refreshTokens[token]?.successor = reply }
        return reply
    }

    private mutating func reuse(
        _ token: String,
        _ known: RefreshToken,
        spentAt: Int,
        _ terms: Terms
    ) throws(OAuthError) -> TokenReply {
        refreshTokens[token]?.reuses += 1
        switch terms.rotation {
        case .strict: break
        case .revokeFamilyOnReuse: revoke(family: known.family)
        case .grace(let seconds):
            if terms.now - spentAt <= seconds * 1_000, let successor = known.successor,
                let next = successor.refreshToken, families[known.family].current == next
            {
                return successor
            }
        }
        throw .invalidGrant("The refresh token was already used.")
    }

    mutating func redeem(
        code: String,
        redirectURI: String?,
        verifier: String?,
        _ terms: Terms
    ) throws(OAuthError) -> TokenReply {
        guard let known = codes[code] else { throw .invalidGrant("The authorization code is unknown.") }
        if let family = known.family {
            // RFC 6749 section 4.1.2: the tokens of a code that comes twice are revoked.
            revoke(family: family)
            throw .invalidGrant("The authorization code was already used.")
        }
        guard known.expiresAt > terms.now else { throw .invalidGrant("The authorization code has expired.") }
        guard redirectURI == known.redirectURI else {
            throw .invalidGrant("The redirect URI differs from that of the authorization request.")
        }
        if let pkce = known.pkce {
            guard let verifier, pkce.accepts(verifier: verifier) else {
                throw .invalidGrant("The code verifier does not match the code challenge.")
            }
        }
        let (reply, family) = issuePair(
            known.organization,
            by: .authorizationCode,
            scopes: terms.scopes,
            seconds: terms.seconds,
            now: terms.now
        )
        codes[code]?.family = family
        return reply
    }

    mutating func exchange(accessToken: String, _ terms: Terms) throws(OAuthError) -> TokenReply {
        guard let known = validAccessToken(accessToken, now: terms.now) else {
            throw .invalidGrant("The access token is unknown, expired or invalidated.")
        }
        return issuePair(
            known.organization,
            by: .accessToken,
            scopes: terms.scopes,
            seconds: terms.seconds,
            now: terms.now
        ).reply
    }

    /// Without a refresh token unless `givesRefreshToken`.
    mutating func clientCredentials(_ organization: String, givesRefreshToken: Bool, _ terms: Terms) -> TokenReply {
        if givesRefreshToken {
            return issuePair(
                organization,
                by: .clientCredentials,
                scopes: terms.scopes,
                seconds: terms.seconds,
                now: terms.now
            ).reply
        }
        let token = issueAccessToken(
            organization,
            scopes: terms.scopes,
            family: nil,
            seconds: terms.seconds,
            now: terms.now
        )
        return TokenReply(
            organization: organization,
            accessToken: token,
            refreshToken: nil,
            expiresInSeconds: terms.seconds,
            scopes: terms.scopes
        )
    }
}
