/// The ledger of one moment: what the invariants of a run are checked against. Holds fingerprints
/// (SHA-256, hexadecimal), never a token.
package struct LedgerSnapshot: Sendable, Codable, Equatable {
    package let organizations: [Organization]
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
        /// POSTs to the token endpoint in the busiest second.
        package let maxPerSecond: Int
    }

    package func organization(_ id: String) -> Organization? { organizations.first { $0.id == id } }
}

extension TokenState {
    /// - Parameter only: an organisation, nil for all that ever had a token or sent a POST.
    func snapshot(only: String? = nil) -> LedgerSnapshot {
        var tokens: [String: [(String, RefreshToken)]] = [:]
        for (text, token) in refreshTokens where only == nil || token.organization == only {
            tokens[token.organization, default: []].append((text, token))
        }
        let ids = Set(tokens.keys).union(ledger.byOrganization.keys.filter { only == nil || $0 == only })
        let current = Dictionary(grouping: families.filter { $0.current != nil }, by: \.organization)
        let organizations = ids.sorted().map { id in
            organization(id, tokens[id] ?? [], current: current[id]?.compactMap(\.current) ?? [])
        }
        return LedgerSnapshot(organizations: organizations, totals: totals(organizations))
    }

    private func organization(
        _ id: String,
        _ tokens: [(String, RefreshToken)],
        current: [String]
    ) -> LedgerSnapshot.Organization {
        let counts = ledger.byOrganization[id] ?? ExchangeLedger.Counts()
        let generations =
            tokens
            .sorted { ($0.1.family, $0.1.generation) < ($1.1.family, $1.1.generation) }
            .map { generation($0.0, $0.1) }
        return LedgerSnapshot.Organization(
            id: id,
            posts: counts.posts,
            succeeded: Dictionary(uniqueKeysWithValues: counts.succeeded.map { ($0.key.rawValue, $0.value) }),
            refused: counts.refused,
            throttled: counts.throttled,
            repliesLost: counts.repliesLost,
            maxInFlight: counts.maxInFlight,
            presentedTwice: generations.count { $0.presented > 1 },
            reuses: generations.reduce(0) { $0 + $1.reuses },
            currentRefreshTokens: current.map(TokenText.fingerprint),
            lastPostAt: counts.lastPostAt,
            lastSuccessAt: counts.lastSuccessAt,
            generations: generations
        )
    }

    private func generation(_ text: String, _ token: RefreshToken) -> LedgerSnapshot.Generation {
        LedgerSnapshot.Generation(
            family: token.family,
            generation: token.generation,
            fingerprint: TokenText.fingerprint(text),
            issuedBy: token.issuedBy.rawValue,
            issuedAt: token.issuedAt,
            posts: token.posts,
            refused: token.refused,
            reuses: token.reuses,
            lastPostAt: token.lastPostAt,
            spentAt: token.spentAt,
            isRevoked: token.isRevoked
        )
    }

    private func totals(_ organizations: [LedgerSnapshot.Organization]) -> LedgerSnapshot.Totals {
        let generations = organizations.lazy.flatMap(\.generations)
        let other = ledger.unattributed
        return LedgerSnapshot.Totals(
            posts: organizations.reduce(other.posts) { $0 + $1.posts },
            succeeded: organizations.reduce(into: [:]) { $0.merge($1.succeeded, uniquingKeysWith: +) },
            refused: organizations.reduce(into: other.refused) { $0.merge($1.refused, uniquingKeysWith: +) },
            throttled: organizations.reduce(other.throttled) { $0 + $1.throttled },
            repliesLost: organizations.reduce(other.repliesLost) { $0 + $1.repliesLost },
            presentedTwice: organizations.reduce(0) { $0 + $1.presentedTwice },
            postedTwice: generations.count { $0.posts > 1 },
            reuses: organizations.reduce(0) { $0 + $1.reuses },
            unknownRefreshTokens: ledger.unknownRefreshTokens,
            maxInFlight: ledger.maxInFlight,
            maxPerSecond: ledger.perSecond.values.max() ?? 0
        )
    }
}
