/// The ledger of one moment: what the invariants of a run are checked against. Holds fingerprints
/// (SHA-256, hexadecimal), never a token.
package struct LedgerSnapshot: Sendable, Codable, Equatable {
    package let organizations: [Organization]
    /// Of all organisations, whichever were asked for.
    package let totals: Totals

    package struct Organization: Sendable, Codable, Equatable {
        package let id: String
        /// POSTs to the token endpoint, of every grant.
        package let posts: Int
        /// Successful exchanges by grant type.
        package let succeeded: [String: Int]
        /// Refused exchanges by the `error` of the answer.
        package let refused: [String: Int]
        package let throttled: Int
        /// Replies that a fault cut or replaced after the exchange had been made.
        package let repliesLost: Int
        /// The most POSTs of this organisation that were in the house at once.
        package let maxInFlight: Int
        /// How many refresh tokens reached Pitchly more than once; see ``Generation/presented``.
        package let presentedTwice: Int
        /// How often a refresh token came that had been exchanged or revoked.
        package let reuses: Int
        /// Of the refresh tokens that would be accepted now, one per family, oldest family first.
        package let currentRefreshTokens: [String]
        /// Milliseconds since 1970.
        package let lastPostAt: Int?
        package let lastSuccessAt: Int?
        package let generations: [Generation]
    }

    /// One refresh token.
    package struct Generation: Sendable, Codable, Equatable {
        package let family: Int
        package let generation: Int
        package let fingerprint: String
        package let issuedBy: String
        package let issuedAt: Int
        /// POSTs that carried it, including those whose answer a fault cut.
        package let posts: Int
        /// Of these, answered with 429 or a client error: the client knows that it was not looked at.
        package let refused: Int
        package let reuses: Int
        package let lastPostAt: Int?
        package let spentAt: Int?
        package let isRevoked: Bool

        /// POSTs after which the client must fear that the token is spent.
        package var presented: Int { posts - refused }
    }

    package struct Totals: Sendable, Codable, Equatable {
        package let posts: Int
        package let succeeded: [String: Int]
        package let refused: [String: Int]
        package let throttled: Int
        package let repliesLost: Int
        /// Refresh tokens that reached Pitchly more than once, not counting what 429 answered.
        package let presentedTwice: Int
        /// The same, counting every POST.
        package let postedTwice: Int
        package let reuses: Int
        /// POSTs with a refresh token that was never given out.
        package let unknownRefreshTokens: Int
        package let maxInFlight: Int
        /// POSTs to the token endpoint in the busiest second of the machine's clock.
        package let maxPerSecond: Int
    }

    package func organization(_ id: String) -> Organization? { organizations.first { $0.id == id } }
}
