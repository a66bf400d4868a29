package import Foundation
package import LeaseholdCore
package import Postgres
import SQLFiles

/// One event that a person may want to know of.
package struct CredentialEvent: Sendable, Equatable, Encodable {
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

/// Looks at credentials without being able to use one.
///
/// It reads views that hold no token, so it needs the database and neither key ring, spool nor client
/// secret: whoever operates the system can look from any machine.
package struct CredentialInspector: Sendable {
    private let pool: PostgresPool
    private let provider: String

    package init(pool: PostgresPool, provider: String = ProviderProfile().name) {
        self.pool = pool
        self.provider = provider
    }

    /// By tenant, a page at a time.
    ///
    /// - Parameter state: only these; nil for all.
    package func list(
        state: String? = nil,
        after tenant: TenantID? = nil,
        limit: Int = 100
    ) async throws -> [CredentialStatus] {
        try await pool.query(.credentialList, state, tenant?.rawValue, Int32(clamping: limit))
            .map { try CredentialStatus($0) }
    }

    /// Nil if the tenant has no credential.
    package func status(of tenant: TenantID) async throws -> CredentialStatus? {
        try await pool.query(.credentialShow, tenant.rawValue).first.map { try CredentialStatus($0) }
    }

    /// Newest first.
    package func history(of tenant: TenantID, limit: Int = 50) async throws -> [ExchangeRecord] {
        try await pool.query(.exchangeHistory, tenant.rawValue, Int32(clamping: limit))
            .map { try ExchangeRecord($0) }
    }

    /// Newest first.
    package func events(of tenant: TenantID, limit: Int = 50) async throws -> [CredentialEvent] {
        try await pool.query(.credentialEvents, tenant.rawValue, Int32(clamping: limit)).map { row in
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
        try await pool.query(.providerShow, provider).first.map { row in
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

    /// Asks the workers with the refresh role for a newer generation, and waits until it is there.
    ///
    /// The request stays when this gives up: the next worker that can will act on it.
    ///
    /// - Returns: the new access token's generation.
    /// - Throws: ``VaultError``, after `patience` with the reason `temporarilyUnavailable`.
    package func requestRefresh(
        _ tenant: TenantID,
        patience: Duration = .seconds(30),
        clock: any Clock<Duration> = ContinuousClock()
    ) async throws -> Int64 {
        let time = Timeline(clock)
        var pause = FlightPause()
        let seen = try await usableStatus(of: tenant).generation
        while true {
            // Again and again: while an exchange holds the row, the request is not noted.
            try await pool.query(.credentialRequest, tenant.rawValue, seen)
            let status = try await usableStatus(of: tenant)
            if status.generation > seen { return status.generation }
            guard time.now() < patience else {
                throw VaultError.notRefreshed(tenant, within: patience, status.lastErrorClass)
            }
            try await time.sleep(for: pause.next())
        }
    }

    /// - Throws: ``VaultError`` if there is nothing that could be refreshed.
    func usableStatus(of tenant: TenantID) async throws -> CredentialStatus {
        guard let status = try await status(of: tenant), status.state != "empty" else {
            throw VaultError.noCredential(tenant)
        }
        guard status.state != "needs_authorization" else { throw VaultError.needsAuthorization(tenant) }
        return status
    }
}
