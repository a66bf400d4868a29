/// Counts of what reached the token endpoint, kept beside the tokens under the same lock.
struct ExchangeLedger: Sendable {
    var byOrganization: [String: Counts] = [:]
    var unattributed = Counts()
    /// POSTs in the busiest second so far.
    private(set) var maxPerSecond = 0
    private var second = (number: 0, posts: 0)
    private let startedAt = ContinuousClock.now
    var inFlight = 0
    var maxInFlight = 0
    var unknownRefreshTokens = 0

    struct Counts: Sendable {
        var posts = 0
        var succeeded: [GrantKind: Int] = [:]
        /// By the `error` of the answer.
        var refused: [String: Int] = [:]
        var throttled = 0
        /// Replies that a fault cut, held back or replaced after the exchange had been made.
        var repliesLost = 0
        var inFlight = 0
        var maxInFlight = 0
        var lastPostAt: Int?
        var lastSuccessAt: Int?
    }

    mutating func begin(_ organization: String?, now: Int) {
        inFlight += 1
        maxInFlight = max(maxInFlight, inFlight)
        note(organization) { counts in
            counts.posts += 1
            counts.inFlight += 1
            counts.maxInFlight = max(counts.maxInFlight, counts.inFlight)
            counts.lastPostAt = now
        }
        countSecond(Int((ContinuousClock.now - startedAt) / .seconds(1)))
    }

    /// By a clock that nobody can set: this is about load.
    private mutating func countSecond(_ number: Int) {
        second = number == second.number ? (number, second.posts + 1) : (number, 1)
        maxPerSecond = max(maxPerSecond, second.posts)
    }

    mutating func end(_ organization: String?) {
        inFlight -= 1
        note(organization) { $0.inFlight -= 1 }
    }

    mutating func note(_ organization: String?, _ change: (inout Counts) -> Void) {
        if let organization {
            change(&byOrganization[organization, default: Counts()])
        } else {
            change(&unattributed)
        }
    }
}
