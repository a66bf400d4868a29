import Foundation
import LeaseholdCore

/// One exchange that is wanted.
struct ExchangeOrder: Sendable {
    let tenant: TenantID
    let rung: ExchangeRung
    /// The generation to be replaced; nil only for `connect`.
    var seen: Int64?
    /// What a person gave; only for `connect`.
    var grant: TokenGrant?
    var organization: String?
}

/// What the database gave out for one exchange: the right to present this generation once.
struct ExchangeTicket: Sendable {
    let generation: Int64
    let grantKind: String
    let refreshToken: [UInt8]?
    let accessToken: [UInt8]?
    let organization: String?
    /// A client gave what is presented, and no exchange has proven it yet: its failure says nothing of
    /// the provider.
    let isGiven: Bool
    let failures: Int
    /// By the database's clock.
    let startedAt: Date
}

/// Answer to an attempt to begin.
enum ExchangeBeginning: Sendable {
    case go(ExchangeTicket)
    case refused(ExchangeObstacle)
}

/// Why an exchange did not begin. Nothing was presented.
enum ExchangeObstacle: Sendable, Equatable {
    /// Another generation, or no longer suspect.
    case moved
    case exchanging(Duration)
    case suspect
    case needsAuthorization
    case noCredential
    case noTenant
    case backingOff(Duration)
    /// A failover is being replayed.
    case held
    case tried
}

/// How one exchange ended.
enum ExchangeOutcome: Sendable {
    case saved(AccessToken?)
    case obstructed(ExchangeObstacle)
    /// It was presented, or would have been; the row says how it stands.
    case failed(ExchangeVerdict)
    /// Nothing was presented: keys, spool or database were not fit for it.
    case unfit(any Error)
    /// Somebody else has saved a newer generation.
    case superseded
    /// The row is older than what was presented: commits were lost. The spool has the reply.
    case behind
}
