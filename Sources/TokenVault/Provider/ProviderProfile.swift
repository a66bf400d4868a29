import LeaseholdCore

/// What is known of a provider's token endpoint, and how much is asked of it.
package struct ProviderProfile: Sendable {
    /// Key of `leasehold.provider`. Default `pitchly`.
    package var name = "pitchly"

    /// How long one POST may take. A short one loses tokens that a slow answer would have brought.
    /// Default 60 s.
    package var deadline: Duration = .seconds(60)
    /// How long the provider may go on working on a request after we have stopped waiting; until then
    /// a presented token may still be exchanged. Default 60 s.
    package var serverTimeLimit: Duration = .seconds(60)
    /// For how long the provider answers a replay of the last refresh token with its successor
    /// (FAPI 2.0 section 5.3.2.1). Nil if it does not, or nobody knows. Default nil.
    package var grace: Duration?
    /// Whether a still valid access token may be exchanged for a new pair. Default true: it is how the
    /// provider's own "long-lived tokens" begin, and it is tried only where the refresh token is lost.
    package var allowsAccessTokenExchange = true
    /// Whether `client_credentials` with the organisation's id gives an access token. Default false.
    package var allowsClientCredentials = false
    /// Whether a refresh token of unknown fate may be presented once more, shortly before the access
    /// token expires. Default true.
    package var allowsLateProbe = true

    /// Lifetime of an access token whose reply does not say. Default 300 s.
    package var defaultAccessLifetime: Duration = .seconds(300)
    /// A lifetime beyond this is taken for this. Default 30 days.
    package var longestAccessLifetime: Duration = .seconds(30 * 86_400)

    /// Exchanges per second of all workers together. Default 20.
    package var exchangesPerSecond = 20.0
    /// Exchanges that may start at once after a quiet time. Default 20.
    package var burst = 20
    /// A `Retry-After` beyond this is taken for this. Default 1 h.
    package var longestRetryAfter: Duration = .seconds(3600)
    /// Pause after a 429 that does not say how long. Default 30 s.
    package var defaultRetryAfter: Duration = .seconds(30)

    package init() {}

    /// The deadline of one POST: with a known grace a third of it at most, so that a replay fits in.
    var exchangeDeadline: Duration {
        guard let grace else { return deadline }
        return min(deadline, grace / 3)
    }

    /// - Throws: ``VaultSettingError`` for the first value out of range.
    package func validated() throws(VaultSettingError) -> ProviderProfile {
        try require(deadline >= .seconds(1), "deadline", "1 s or more", "\(deadline.seconds) s")
        try require(serverTimeLimit >= .zero, "server time limit", "0 s or more", "\(serverTimeLimit.seconds) s")
        if let grace { try require(grace >= .seconds(3), "grace", "3 s or more", "\(grace.seconds) s") }
        try require(
            defaultAccessLifetime >= .seconds(1),
            "default access lifetime",
            "1 s or more",
            "\(defaultAccessLifetime.seconds) s"
        )
        try require(
            exchangesPerSecond > 0 && exchangesPerSecond <= 10_000,
            "exchanges per second",
            "more than 0, at most 10000",
            "\(exchangesPerSecond)"
        )
        try require((1...10_000).contains(burst), "burst", "1 to 10000", "\(burst)")
        return self
    }

    private func require(
        _ holds: Bool,
        _ setting: String,
        _ expected: String,
        _ got: String
    ) throws(VaultSettingError) {
        if !holds { throw VaultSettingError(setting: "provider's \(setting)", expected: expected, got: got) }
    }
}

/// A setting of the vault that cannot be used.
package struct VaultSettingError: ExplainedError, Equatable {
    package let setting: String
    package let expected: String
    package let got: String
    package var hint: String?

    package init(setting: String, expected: String, got: String, hint: String? = nil) {
        self.setting = setting
        self.expected = expected
        self.got = got
        self.hint = hint
    }

    package var label: String { "vault_setting" }
    package var message: String { "expected the \(setting) to be \(expected), got \(got)" }
}
