import LeaseholdCore

/// What a verdict without a successor leaves in the row. The table of classes, as one function of
/// verdict, rung and grant.
struct FailurePlan: Sendable, Equatable {
    /// As in `leasehold.credential_exchange.outcome`.
    var outcome: String
    var errorClass: String?
    var suspect: Suspicion.Reason?
    /// Nothing was spent: the rung may be taken again.
    var isRungFree = false
    var backOff: Duration = .zero
    /// When the refresh service looks at the credential again.
    var due: Duration = .zero
    var provider: ProviderEffect?

    enum ProviderEffect: Equatable, Sendable {
        case unanswered
        case dead
        case blocked(Duration)
        case stopped

        var name: String {
            switch self {
            case .unanswered: "unanswered"
            case .dead: "dead"
            case .blocked: "blocked"
            case .stopped: "stopped"
            }
        }
    }

    /// - Parameters:
    ///   - isGiven: a client gave what was presented, and nothing has proven it yet: what can be caused by
    ///     giving rubbish says nothing of the provider, and must not stop other tenants.
    ///   - failures: in a row so far, this one not counted.
    ///   - chance: uniform in 0...1.
    init(
        _ verdict: ExchangeVerdict,
        rung: ExchangeRung,
        grant: String,
        isGiven: Bool = false,
        failures: Int,
        chance: Double
    ) {
        let presentsRefreshToken = rung.presentsRefreshToken && grant == "refresh_token"
        outcome = "refused"
        errorClass = verdict.errorClass
        switch verdict {
        case .tokens:
            // Tokens that the rung cannot use: a new grant without a refresh token.
            errorClass = "no_refresh_token"
        case .notSent:
            outcome = "not_sent"
            pause(BackOff.pause(failures: failures + 1, chance: chance))
        case .throttled(let retryAfter):
            outcome = "throttled"
            // Those who were sent away together do not come back together.
            pause(retryAfter + .seconds(5 * chance))
            provider = .blocked(retryAfter)
        case .dead:
            guard rung == .refresh || presentsRefreshToken else { return }
            outcome = "dead"
            suspect = .dead
            if !isGiven { provider = .dead }
        case .misconfigured(let code) where isGiven && presentsRefreshToken && code != "invalid_client":
            // Asked again with the same text, the provider would say the same.
            outcome = "dead"
            suspect = .dead
        case .misconfigured(let code):
            // For another grant it says that this grant is not allowed, and nothing of the client.
            guard rung != .connect, presentsRefreshToken || rung == .refresh || code == "invalid_client" else { return }
            outcome = "misconfigured"
            isRungFree = true
            due = .seconds(15)
            provider = .stopped
        case .ambiguous(let errorClass, _):
            outcome = "ambiguous"
            if !isGiven || Self.isOutage(errorClass) { provider = .unanswered }
            if presentsRefreshToken { suspect = .ambiguous }
            // What spends nothing may be asked again. So may a probe that nobody answered: it may never
            // have arrived, and only `invalid_grant` to a probe says that nothing can turn up any more.
            if rung == .lateProbe || !presentsRefreshToken && rung != .connect {
                pause(BackOff.pause(failures: failures + 1, chance: chance))
            }
        }
    }

    /// Not even rubbish makes a provider silent, and the breaker is what keeps an outage from costing every
    /// token of a thousand tenants that were brought over together.
    private static func isOutage(_ errorClass: String) -> Bool {
        errorClass == "no_reply" || errorClass == "http_5xx" || errorClass == "cut_reply"
    }

    private mutating func pause(_ delay: Duration) {
        isRungFree = true
        backOff = delay
        due = delay
    }
}
