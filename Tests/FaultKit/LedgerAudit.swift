package import FakePitchly

/// What the provider's ledger says about one organisation between two moments.
package struct LedgerAudit: Sendable, Equatable {
    /// POSTs with a refresh token beyond the first of each.
    package let repeated: Int
    package let repliesLost: Int
    package let posts: Int

    package init(_ ledger: LedgerSnapshot.Organization?) {
        repeated = ledger?.generations.reduce(0) { $0 + max(0, $1.presented - 1) } ?? 0
        repliesLost = ledger?.repliesLost ?? 0
        posts = ledger?.posts ?? 0
    }

    private init(repeated: Int, repliesLost: Int, posts: Int) {
        self.repeated = repeated
        self.repliesLost = repliesLost
        self.posts = posts
    }

    package static func - (after: LedgerAudit, before: LedgerAudit) -> LedgerAudit {
        LedgerAudit(
            repeated: after.repeated - before.repeated,
            repliesLost: after.repliesLost - before.repliesLost,
            posts: after.posts - before.posts
        )
    }
}
