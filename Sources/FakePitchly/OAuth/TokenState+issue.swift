/// Making and killing tokens.
extension TokenState {
    /// Access tokens are dropped an hour after they expired; the sweep runs once in so many issued.
    private static let sweepEvery = 4096

    mutating func issueAccessToken(
        _ organization: String,
        scopes: [String],
        family: Int?,
        seconds: Int,
        now: Int
    ) -> String {
        if accessTokens.count % Self.sweepEvery == Self.sweepEvery - 1 {
            accessTokens = accessTokens.filter { $0.value.expiresAt > now - 3_600_000 }
        }
        let token = TokenText.make(prefix: "plyu_")
        accessTokens[token] = AccessToken(
            organization: organization,
            scopes: scopes,
            expiresAt: now + seconds * 1_000,
            family: family
        )
        if let family { note(token, of: family, now: now) }
        return token
    }

    private mutating func note(_ token: String, of family: Int, now: Int) {
        if families[family].accessTokens.count >= 16 {
            let alive = families[family].accessTokens.filter { accessTokens[$0].map { $0.expiresAt > now } ?? false }
            families[family].accessTokens = alive
        }
        families[family].accessTokens.append(token)
    }

    /// A new family with its first pair.
    mutating func issuePair(
        _ organization: String,
        by kind: GrantKind,
        scopes: [String],
        seconds: Int,
        now: Int
    ) -> (reply: TokenReply, family: Int) {
        families.append(Family(organization: organization))
        let family = families.count - 1
        let reply = nextPair(family, generation: 0, by: kind, scopes: scopes, seconds: seconds, now: now)
        return (reply, family)
    }

    mutating func nextPair(
        _ family: Int,
        generation: Int,
        by kind: GrantKind,
        scopes: [String],
        seconds: Int,
        now: Int
    ) -> TokenReply {
        let organization = families[family].organization
        let access = issueAccessToken(organization, scopes: scopes, family: family, seconds: seconds, now: now)
        let refresh = TokenText.make(prefix: "plyr_")
        refreshTokens[refresh] = RefreshToken(
            organization: organization,
            family: family,
            generation: generation,
            issuedAt: now,
            issuedBy: kind
        )
        families[family].current = refresh
        return TokenReply(
            organization: organization,
            accessToken: access,
            refreshToken: refresh,
            expiresInSeconds: seconds,
            scopes: scopes
        )
    }

    mutating func invalidateAccessTokens(ofFamily family: Int) {
        for token in families[family].accessTokens { accessTokens[token]?.isInvalidated = true }
        families[family].accessTokens.removeAll()
    }

    mutating func revoke(family: Int) {
        if let current = families[family].current { refreshTokens[current]?.isRevoked = true }
        families[family].current = nil
        invalidateAccessTokens(ofFamily: family)
    }

    /// The organisation and scopes of an access token that is valid now.
    func validAccessToken(_ token: String, now: Int) -> AccessToken? {
        guard let known = accessTokens[token], !known.isInvalidated, known.expiresAt > now else { return nil }
        return known
    }
}
