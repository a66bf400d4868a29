/// Every token that was given out and what became of it. Plain data under ``TokenAuthority``'s lock;
/// times are milliseconds since 1970 by the fake's clock.
struct TokenState: Sendable {
    var accessTokens: [String: AccessToken] = [:]
    var refreshTokens: [String: RefreshToken] = [:]
    var codes: [String: Code] = [:]
    var families: [Family] = []
    var ledger = ExchangeLedger()

    struct AccessToken: Sendable {
        let organization: String
        let scopes: [String]
        let expiresAt: Int
        /// The grant it came from; nil for a session of the vendor's own site.
        let family: Int?
        var isInvalidated = false
    }

    struct RefreshToken: Sendable {
        let organization: String
        let family: Int
        /// How often the family had rotated before, 0 for the first.
        let generation: Int
        let issuedAt: Int
        let issuedBy: GrantKind
        /// POSTs that carried it, whatever became of them.
        var posts = 0
        /// Of these, how many were answered in a way that tells the client it was not looked at.
        var refused = 0
        /// How often it was presented after it had been exchanged or revoked.
        var reuses = 0
        var lastPostAt: Int?
        var spentAt: Int?
        var successor: TokenReply?
        var isRevoked = false
    }

    /// All tokens that one act of granting led to.
    struct Family: Sendable {
        let organization: String
        /// The one that would be accepted now; nil once the family is revoked.
        var current: String?
        var accessTokens: [String] = []
    }

    struct Code: Sendable {
        let organization: String
        let redirectURI: String
        let pkce: PKCE?
        let expiresAt: Int
        /// Set when it was exchanged.
        var family: Int?
    }
}

/// The tokens of one successful answer.
struct TokenReply: Sendable, Equatable {
    let organization: String
    let accessToken: String
    let refreshToken: String?
    let expiresInSeconds: Int
    let scopes: [String]
}
