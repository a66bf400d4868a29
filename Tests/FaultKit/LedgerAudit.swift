import FakePitchly

/// What the provider's ledger says about one organisation, or about what came between two moments.
struct LedgerAudit: Sendable, Equatable {
    /// POSTs with a refresh token beyond the first of each.
    let repeated: Int
    let posts: Int

    init(_ ledger: LedgerSnapshot.Organization?) {
        repeated = ledger?.generations.reduce(0) { $0 + max(0, $1.presented - 1) } ?? 0
        posts = ledger?.posts ?? 0
    }

    private init(repeated: Int, posts: Int) {
        self.repeated = repeated
        self.posts = posts
    }

    static func - (after: LedgerAudit, before: LedgerAudit) -> LedgerAudit {
        LedgerAudit(repeated: after.repeated - before.repeated, posts: after.posts - before.posts)
    }
}
