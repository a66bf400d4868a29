/// The ledger as it is given out. Reads a copy of the state, so that no POST waits for the fingerprints.
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
        return LedgerSnapshot(organizations: organizations, totals: totals)
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

    /// Cheaper by far than a snapshot: no fingerprint is made.
    var totals: LedgerSnapshot.Totals {
        let counts = Array(ledger.byOrganization.values) + [ledger.unattributed]
        let tokens = refreshTokens.values
        return LedgerSnapshot.Totals(
            posts: counts.reduce(0) { $0 + $1.posts },
            succeeded: counts.reduce(into: [:]) { sums, counts in
                for (kind, count) in counts.succeeded { sums[kind.rawValue, default: 0] += count }
            },
            refused: counts.reduce(into: [:]) { $0.merge($1.refused, uniquingKeysWith: +) },
            throttled: counts.reduce(0) { $0 + $1.throttled },
            repliesLost: counts.reduce(0) { $0 + $1.repliesLost },
            presentedTwice: tokens.count { $0.posts - $0.refused > 1 },
            postedTwice: tokens.count { $0.posts > 1 },
            reuses: tokens.reduce(0) { $0 + $1.reuses },
            unknownRefreshTokens: ledger.unknownRefreshTokens,
            maxInFlight: ledger.maxInFlight,
            maxPerSecond: ledger.maxPerSecond
        )
    }
}
