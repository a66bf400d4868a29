import LeaseholdCore

/// One kind of exchange. The raw value is what the database and the log call it.
package enum ExchangeRung: String, Sendable, CaseIterable {
    /// The ordinary one.
    case refresh
    /// The first one of a grant that a person gave.
    case connect
    /// The refresh token again, inside the provider's known grace.
    case replay
    /// The still valid access token for a new pair.
    case accessToken = "access_token"
    /// A new access token by the organisation's id.
    case clientCredentials = "client_credentials"
    /// The refresh token once more, because it may never have been processed.
    case lateProbe = "late_probe"

    /// Presents the stored refresh token.
    var presentsRefreshToken: Bool { self == .refresh || self == .replay || self == .lateProbe }
}

/// What is known of a generation that was presented without a usable answer, or that was refused.
/// Times are relative to the database's now, negative for the past.
struct Suspicion: Sendable, Equatable {
    enum Reason: String, Sendable {
        case ambiguous
        case dead
    }

    var reason: Reason
    /// When the generation became suspect.
    var since: Duration
    /// When it was last presented.
    var presented: Duration
    /// When the owner of that exchange stopped waiting.
    var deadline: Duration
    /// Until when the access token is valid. Nil if there is none, or the API refused it.
    var accessExpiry: Duration?
    var accessLifetime: Duration
    var hasOrganization: Bool
    var hasRefreshToken: Bool
    /// The credential lives by `client_credentials` anyway, whatever the profile allows.
    var renewsByOrganization: Bool
    var tried: Set<ExchangeRung>
    /// The breaker is open, the provider stopped us or a failover is being replayed.
    var providerInDoubt: Bool
}

/// The recovery ladder: which step a suspect generation takes next. A value of facts in, a step out.
struct RecoveryLadder: Sendable {
    enum Step: Equatable {
        case wait(Duration)
        case exchange(ExchangeRung)
        /// Nothing is left and no successor can still turn up.
        case giveUp
    }

    let profile: ProviderProfile
    /// How long the workers have to replay their spools before a verdict. Default 30 s: three looks.
    var spoolPatience: Duration = .seconds(30)

    func next(_ suspicion: Suspicion) -> Step {
        if let step = replay(suspicion) { return step }
        let quiet = quietAt(suspicion)
        if let step = rungsWithAccess(suspicion, quiet: quiet) { return step }
        if let step = lateProbe(suspicion, quiet: quiet) { return step }
        if quiet > .zero { return .wait(quiet) }
        return suspicion.providerInDoubt ? .wait(.seconds(15)) : .giveUp
    }

    /// With a known grace the old token is presented again at once: the provider has promised to
    /// answer with the pair it has already made.
    private func replay(_ suspicion: Suspicion) -> Step? {
        guard let grace = profile.grace, suspicion.hasRefreshToken, suspicion.reason == .ambiguous,
            !suspicion.tried.contains(.replay)
        else {
            return nil
        }
        let closes = suspicion.presented + grace - min(grace / 10, .seconds(2))
        return closes > .zero ? .exchange(.replay) : nil
    }

    /// When nothing of what was presented can still be on its way: not with us, not at the provider,
    /// not in a spool that nobody has read.
    private func quietAt(_ suspicion: Suspicion) -> Duration {
        let patience = suspicion.since + spoolPatience
        guard suspicion.reason == .ambiguous else { return patience }
        return max(patience, suspicion.deadline + profile.serverTimeLimit)
    }

    /// The new grants, once it is quiet, or earlier if the access token would not live that long.
    private func rungsWithAccess(_ suspicion: Suspicion, quiet: Duration) -> Step? {
        if let expiry = suspicion.accessExpiry, expiry > .zero, profile.allowsAccessTokenExchange,
            !suspicion.tried.contains(.accessToken)
        {
            let start = min(quiet, expiry - reserve(suspicion))
            return start > .zero ? .wait(start) : .exchange(.accessToken)
        }
        if profile.allowsClientCredentials || suspicion.renewsByOrganization, suspicion.hasOrganization,
            !suspicion.tried.contains(.clientCredentials)
        {
            let start = min(quiet, (suspicion.accessExpiry ?? .zero) - reserve(suspicion))
            return start > .zero ? .wait(start) : .exchange(.clientCredentials)
        }
        return nil
    }

    /// Never before it is quiet: presented while the first is still being processed, it would be
    /// taken for a thief's. A probe that got no answer proves nothing and is repeated when it is quiet
    /// again; only a refusal is final.
    private func lateProbe(_ suspicion: Suspicion, quiet: Duration) -> Step? {
        let isAnswered = suspicion.tried.contains(.lateProbe) && suspicion.reason == .dead
        guard profile.allowsLateProbe, suspicion.hasRefreshToken, !isAnswered else { return nil }
        let lateMoment = (suspicion.accessExpiry ?? .zero) - reserve(suspicion)
        let start = max(quiet, lateMoment)
        return start > .zero ? .wait(start) : .exchange(.lateProbe)
    }

    /// Life of the access token that is kept back for an exchange and its answer.
    private func reserve(_ suspicion: Suspicion) -> Duration {
        min(profile.exchangeDeadline + .seconds(5), suspicion.accessLifetime / 7)
    }
}
