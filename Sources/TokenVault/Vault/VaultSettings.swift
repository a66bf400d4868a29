import LeaseholdCore

/// How a vault behaves in this process. Everything about the provider is in ``ProviderProfile``.
package struct VaultSettings: Sendable {
    /// Whether this process presents tokens (role `refresh`). Without it, it asks through the
    /// database. Default true.
    package var mayExchange = true
    /// Most exchanges of this process at once. Each holds a database connection over its POST, so the
    /// pool must be larger. Default 8.
    package var exchangeLimit = 8
    /// An access token is not handed out with less life than this left, or than a tenth of its
    /// lifetime if that is shorter. Default 5 s.
    package var minimumValidity: Duration = .seconds(5)
    /// For how long a token is handed out from memory without a look at the row. Default 15 s.
    package var cacheTime: Duration = .seconds(15)
    /// A token that the API refuses earlier than this after it was made is not replaced at once.
    /// Default 5 s.
    package var youngRefusal: Duration = .seconds(5)
    /// How long a caller waits while the token is being exchanged. Default 75 s.
    package var patience: Duration = .seconds(75)
    /// How long a caller waits for a budget, a back-off or a recovery. Default 10 s.
    package var shortPatience: Duration = .seconds(10)
    /// A token is presented only this soon after its intent was written. Default 10 s.
    package var sendWindow: Duration = .seconds(10)
    /// A due credential that was taken is out of other workers' sight for this long. Default 10 s.
    package var claimTime: Duration = .seconds(10)
    /// How often a credential that nobody needs is looked at. Default 300 s.
    package var idleRecheck: Duration = .seconds(300)
    /// How often the spools are compared with the rows. Default 10 s.
    package var replayInterval: Duration = .seconds(10)
    /// How long a suspect generation waits for a reply in somebody's spool before the verdict; three
    /// times ``replayInterval`` or more. Default 30 s.
    package var spoolPatience: Duration = .seconds(30)
    /// Longest pause of the refresh service between two looks. Default 1 s.
    package var pollInterval: Duration = .seconds(1)
    /// How long the log of exchanges is kept. Default 90 days.
    package var historyTime: Duration = .seconds(90 * 86_400)

    package init() {}

    /// From the intent to the moment its owner certainly neither sends nor waits any more.
    func longestAttempt(_ profile: ProviderProfile) -> Duration {
        sendWindow + profile.exchangeDeadline + .seconds(5)
    }

    /// For how long after a failover nothing is presented: what was out may still come back, or still be
    /// worked on by the provider, and the database may not know of it.
    func failoverHold(_ profile: ProviderProfile) -> Duration {
        max(longestAttempt(profile) + profile.serverTimeLimit, replayInterval * 3)
    }

    /// - Throws: ``VaultSettingError`` for the first value out of range.
    package func validated(profile: ProviderProfile, poolSize: Int) throws(VaultSettingError) -> VaultSettings {
        guard !mayExchange || (1..<poolSize).contains(exchangeLimit) else {
            throw VaultSettingError(
                setting: "exchange limit",
                expected: "1 to \(poolSize - 1), less than the pool's \(poolSize) connections",
                got: "\(exchangeLimit)",
                hint: "raise LEASEHOLD_DATABASE_POOL_SIZE"
            )
        }
        guard patience >= profile.exchangeDeadline else {
            throw VaultSettingError(
                setting: "patience",
                expected: "at least the exchange's deadline of \(profile.exchangeDeadline.seconds) s",
                got: "\(patience.seconds) s"
            )
        }
        return self
    }
}
