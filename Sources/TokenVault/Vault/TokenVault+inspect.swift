package import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

/// Everything of a credential that is not a token.
package struct CredentialStatus: Sendable, Equatable {
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

/// One line of the exchange log.
package struct ExchangeRecord: Sendable, Equatable {
    package let generation: Int64
    package let rung: String
    package let grant: String
    package let startedAt: Date
    package let endedAt: Date
    package let outcome: String
    package let errorClass: String?
    package let httpStatus: Int?
    /// Equal for two presentations of one token.
    package let fingerprint: String?

    init(_ row: PostgresRow) throws {
        generation = try row.decode("generation")
        rung = try row.decode("rung")
        grant = try row.decode("grant_kind")
        startedAt = try row.decode("started_at")
        endedAt = try row.decode("ended_at")
        outcome = try row.decode("outcome")
        errorClass = try row.decode("error_class")
        httpStatus = try row.decode("http_status", as: Int32?.self).map { Int($0) }
        fingerprint = try row.decode("fingerprint")
    }
}

/// One event that a person may want to know of.
package struct CredentialEvent: Sendable, Equatable {
    package let at: Date
    /// `connected`, `needs_authorization` or `recovered`.
    package let kind: String
    package let generation: Int64
    package let detail: String
}

/// What all workers share about the provider.
package struct ProviderStatus: Sendable, Equatable {
    package let exchangesPerSecond: Double
    package let burst: Int
    package let blockedUntil: Date?
    /// Why the breaker is open; nil if it is closed.
    package let breakerReason: String?
    package let probeAt: Date?
    package let stopReason: String?
    package let holdUntil: Date?
    package let now: Date
}

extension TokenVault {
    /// By tenant, a page at a time.
    ///
    /// - Parameter state: only these; nil for all.
    package func list(
        state: String? = nil,
        after tenant: TenantID? = nil,
        limit: Int = 100
    ) async throws -> [CredentialStatus] {
        try await store.pool.query(.credentialList, state, tenant?.rawValue, Int32(clamping: limit))
            .map { try CredentialStatus($0) }
    }

    /// Nil if the tenant has no credential.
    package func status(of tenant: TenantID) async throws -> CredentialStatus? {
        try await store.pool.query(.credentialShow, tenant.rawValue).first.map { try CredentialStatus($0) }
    }

    /// Newest first.
    package func history(of tenant: TenantID, limit: Int = 50) async throws -> [ExchangeRecord] {
        try await store.pool.query(.exchangeHistory, tenant.rawValue, Int32(clamping: limit))
            .map { try ExchangeRecord($0) }
    }

    /// Newest first.
    package func events(of tenant: TenantID, limit: Int = 50) async throws -> [CredentialEvent] {
        try await store.pool.query(.credentialEvents, tenant.rawValue, Int32(clamping: limit)).map { row in
            CredentialEvent(
                at: try row.decode("at"),
                kind: try row.decode("kind"),
                generation: try row.decode("generation"),
                detail: try row.decode("detail")
            )
        }
    }

    /// Nil before a worker with the refresh role has started for the first time.
    package func providerStatus() async throws -> ProviderStatus? {
        try await store.pool.query(.providerShow, profile.name).first.map { row in
            let isOpen = try row.decode("breaker", as: String.self) == "open"
            return ProviderStatus(
                exchangesPerSecond: try row.decode("exchanges_per_second"),
                burst: Int(try row.decode("burst", as: Int32.self)),
                blockedUntil: try row.decode("blocked_until"),
                breakerReason: isOpen ? try row.decode("breaker_reason") : nil,
                probeAt: try row.decode("probe_at"),
                stopReason: try row.decode("stop_reason"),
                holdUntil: try row.decode("hold_until"),
                now: try row.decode("now")
            )
        }
    }

    /// Exchanges now, whatever the schedule says.
    ///
    /// - Returns: the new access token's generation.
    /// - Throws: ``VaultError``.
    @discardableResult
    package func refreshNow(_ tenant: TenantID) async throws -> Int64 {
        guard let status = try await status(of: tenant), status.state != "empty" else {
            throw VaultError.noCredential(tenant)
        }
        guard status.state != "needs_authorization" else { throw VaultError.needsAuthorization(tenant) }
        if status.suspectReason != nil {
            _ = try await flights.join(tenant) { [self] in try await tendSuspect(tenant) }
        } else {
            _ = try await flights.join(tenant) { [self] in try await tend(tenant, generation: status.generation) }
        }
        guard let after = try await self.status(of: tenant), after.generation > status.generation else {
            let cause = try await self.status(of: tenant)?.lastErrorClass ?? "not_exchanged"
            throw VaultError.temporarilyUnavailable(tenant, after: .seconds(30), cause: cause)
        }
        return after.generation
    }
}
