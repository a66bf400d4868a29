/// What a test asks and does in-process. Everything takes effect at once and can be called from any
/// task; unknown organisations and tables are refused with ``EditRefused``.
extension FakePitchlyServer {
    /// In the order they are numbered: the large ones first.
    package var organizationIDs: [String] { world.allOrganizationIDs }

    package func organization(_ id: String) throws -> FakeOrganization {
        guard let organization = world.organization(id) else { throw EditRefused("there is no organisation \(id)") }
        return organization
    }

    package func table(_ id: String) throws -> FakeTable {
        guard let table = world.table(id) else { throw EditRefused("there is no table \(id)") }
        return table
    }

    /// Of all organisations, or of one.
    package func ledger(organization: String? = nil) -> LedgerSnapshot {
        authority.withState { $0 }.snapshot(only: organization)
    }

    /// The sums of the ledger, cheap enough to be asked for again and again.
    package var totals: LedgerSnapshot.Totals { authority.withState { $0 }.totals }

    /// The access token of a session in Pitchly's own site: what goes into the seed's flow.
    package func makeSession(organization id: String) throws -> String {
        authority.makeSession(organization: try organization(id).id)
    }

    /// An access and a refresh token, as if a code had been exchanged; no POST is counted.
    package func makeGrant(organization id: String) throws -> (accessToken: String, refreshToken: String) {
        let reply = authority.makeGrant(organization: try organization(id).id)
        return (reply.accessToken, reply.refreshToken ?? "")
    }

    /// A code as the consent page would give it, for the first registered redirect URI.
    package func makeCode(organization id: String, codeChallenge: String) throws -> (code: String, redirectURI: String)
    {
        let redirectURI = configuration.oauth.redirectURIs.first ?? ""
        let code = authority.makeCode(
            organization: try organization(id).id,
            redirectURI: redirectURI,
            pkce: PKCE(method: .sha256, challenge: codeChallenge)
        )
        return (code, redirectURI)
    }

    /// The refresh tokens that would be accepted now, one per grant, oldest first.
    package func currentRefreshTokens(organization: String) -> [String] {
        authority.currentRefreshTokens(organization: organization)
    }

    /// Whether an API would accept it now.
    package func accepts(accessToken: String) -> Bool { authority.validAccessToken(accessToken) != nil }

    /// Before their time. Returns how many were still valid.
    @discardableResult
    package func invalidateAccessTokens(organization: String) -> Int {
        authority.invalidateAccessTokens(organization: organization)
    }

    /// Every grant of the organisation dies, as when an administrator removes the app.
    package func revokeGrants(organization: String) { authority.revokeGrants(organization: organization) }

    /// SHA-256 in hexadecimal, as the ledger names tokens.
    package static func fingerprint(_ token: String) -> String { TokenText.fingerprint(token) }

    /// Every token, code and secret that is known, for a search through a program's output. Access
    /// tokens are forgotten an hour after they expired.
    package var secrets: [String] { authority.allSecrets() }

    /// Applies all edits or, where one of them is refused, none; returns the ids they touched.
    @discardableResult
    package func edit(table id: String, _ edits: [TableEdit]) throws -> [String] {
        try table(id).apply(edits, now: clock.now)
    }

    /// Makes up and applies `count` edits of records and fields, the same for the same seed and table.
    @discardableResult
    package func editAtRandom(table id: String, count: Int, seed: UInt64) throws -> [TableEdit] {
        try table(id).applyRandom(count: count, seed: seed, now: clock.now)
    }

    package func makeTable(
        organization id: String,
        name: String,
        records: Int,
        workspace: String? = nil
    ) throws -> FakeTable {
        try organization(id).makeTable(name: name, records: records, workspace: workspace)
    }

    package func dropTable(_ id: String) throws {
        let table = try table(id)
        try organization(table.organization).dropTable(table.id)
    }

    /// The truth: every record as one canonical line of JSON, in table order (see
    /// ``CanonicalRecords``). Holds the whole table.
    package func records(table id: String) throws -> [String] {
        let state = try table(id).snapshot
        var writer = JSONWriter()
        CanonicalRecords(state: state).writeLines(state.page(skip: 0, limit: .max).numbers, to: &writer)
        return writer.text.split(separator: "\n").map(String.init)
    }

    /// One text for all records together, whatever their order.
    package func digest(table id: String) throws -> String { CanonicalRecords(state: try table(id).snapshot).digest() }
}
