package import Foundation
package import LeaseholdCore
import Postgres

/// Everything of a credential that is not a token.
package struct CredentialStatus: Sendable, Equatable, Encodable {
    package let tenant: TenantID
    /// `empty`, `active` or `needs_authorization`.
    package let state: String
    package let generation: Int64
    /// The grant a person gave; nil before the first.
    package let connectedBy: String?
    /// What is presented at a refresh: `refresh_token` or `client_credentials`.
    package let renewedBy: String
    package let organization: String?
    package let scope: String?
    package let accessExpiresAt: Date?
    package let refreshDueAt: Date?
    package let isExchanging: Bool
    /// `ambiguous`, `dead` or nil.
    package let suspectReason: String?
    package let rungsTried: [String]
    package let failures: Int
    package let lastExchangeAt: Date?
    package let lastOutcome: String?
    package let lastErrorClass: String?
    package let needsAuthorizationAt: Date?
    package let connectedAt: Date?
    /// The database's clock, which all the times above are of.
    package let now: Date

    init(_ row: PostgresRow) throws {
        tenant = try TenantID(try row.decode("tenant_id", as: String.self))
        state = try row.decode("state")
        generation = try row.decode("generation")
        connectedBy = try row.decode("connected_by")
        renewedBy = try row.decode("renewed_by")
        organization = try row.decode("organization")
        scope = try row.decode("scope")
        accessExpiresAt = try row.decode("access_expires_at")
        refreshDueAt = try row.decode("refresh_due_at")
        isExchanging = try row.decode("exchanging")
        suspectReason = try row.decode("suspect_reason")
        rungsTried = try row.decode("rungs_tried")
        failures = Int(try row.decode("failures", as: Int32.self))
        lastExchangeAt = try row.decode("last_exchange_at")
        lastOutcome = try row.decode("last_outcome")
        lastErrorClass = try row.decode("last_error_class")
        needsAuthorizationAt = try row.decode("needs_authorization_at")
        connectedAt = try row.decode("connected_at")
        now = try row.decode("now")
    }
}

extension CredentialStatus {
    /// The columns of `leasehold.credential_status`, so that a program reads one name everywhere.
    private enum CodingKeys: String, CodingKey {
        case tenant = "tenant_id"
        case state
        case generation
        case connectedBy = "connected_by"
        case renewedBy = "renewed_by"
        case organization
        case scope
        case accessExpiresAt = "access_expires_at"
        case refreshDueAt = "refresh_due_at"
        case isExchanging = "exchanging"
        case suspectReason = "suspect_reason"
        case rungsTried = "rungs_tried"
        case failures
        case lastExchangeAt = "last_exchange_at"
        case lastOutcome = "last_outcome"
        case lastErrorClass = "last_error_class"
        case needsAuthorizationAt = "needs_authorization_at"
        case connectedAt = "connected_at"
        case now
    }

    /// Every member is there, `null` where there is nothing to say.
    package func encode(to encoder: any Encoder) throws {
        var members = encoder.container(keyedBy: CodingKeys.self)
        try members.encode(tenant.rawValue, forKey: .tenant)
        try members.encode(state, forKey: .state)
        try members.encode(generation, forKey: .generation)
        try members.encode(connectedBy, forKey: .connectedBy)
        try members.encode(renewedBy, forKey: .renewedBy)
        try members.encode(organization, forKey: .organization)
        try members.encode(scope, forKey: .scope)
        try members.encode(accessExpiresAt, forKey: .accessExpiresAt)
        try members.encode(refreshDueAt, forKey: .refreshDueAt)
        try members.encode(isExchanging, forKey: .isExchanging)
        try members.encode(suspectReason, forKey: .suspectReason)
        try members.encode(rungsTried, forKey: .rungsTried)
        try members.encode(failures, forKey: .failures)
        try members.encode(lastExchangeAt, forKey: .lastExchangeAt)
        try members.encode(lastOutcome, forKey: .lastOutcome)
        try members.encode(lastErrorClass, forKey: .lastErrorClass)
        try members.encode(needsAuthorizationAt, forKey: .needsAuthorizationAt)
        try members.encode(connectedAt, forKey: .connectedAt)
        try members.encode(now, forKey: .now)
    }
}
