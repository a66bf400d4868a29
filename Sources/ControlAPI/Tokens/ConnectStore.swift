package import Foundation
import JobQueue
package import LeaseholdCore
package import Postgres
import SQLFiles

/// Logins at the provider that are under way. The database keeps hashes only; the state is in the
/// provider's hands, the other half in the browser's cookie, and the PKCE verifier follows from both,
/// so that nobody who has only one of them can finish the login.
struct ConnectStore: Sendable {
    let pool: PostgresPool
    let lifetime: Duration

    struct Attempt: Sendable {
        /// Goes to the provider and comes back.
        let state: String
        /// Stays in the browser's cookie.
        let browser: String

        init(state: String = RandomText.secret(), browser: String = RandomText.secret()) {
            self.state = state
            self.browser = browser
        }

        /// RFC 7636 section 4.1: 43 characters.
        var verifier: Secret { Secret(RandomText.derived(from: browser, for: "pkce \(state)")) }
    }

    /// Begins a login in one browser.
    ///
    /// - Returns: nil if there is no such tenant.
    func begin(_ tenant: TenantID) async throws -> Attempt? {
        let attempt = Attempt()
        let rows = try await pool.query(
            .connectBegin,
            RandomText.hash(attempt.state),
            tenant.rawValue,
            RandomText.hash(attempt.browser),
            lifetime.seconds
        )
        return rows.isEmpty ? nil : attempt
    }

    /// The tenant of a login that comes back; nil unless it was begun by this browser, is not expired
    /// and comes back for the first time.
    func finish(_ attempt: Attempt) async throws -> TenantID? {
        try await take(RandomText.hash(attempt.state), RandomText.hash(attempt.browser))
    }

    /// A text that lets any browser begin one login.
    ///
    /// - Returns: nil if there is no such tenant.
    func makeTicket(_ tenant: TenantID) async throws -> (ticket: String, expiresAt: Date)? {
        let ticket = RandomText.secret()
        let rows = try await pool.query(
            .connectBegin,
            RandomText.hash(ticket),
            tenant.rawValue,
            [UInt8]?.none,
            lifetime.seconds
        )
        return try rows.first.map { (ticket, try $0.decode("expires_at")) }
    }

    /// The tenant that a ticket is for, once.
    func useTicket(_ ticket: String) async throws -> TenantID? {
        try await take(RandomText.hash(ticket), nil)
    }

    private func take(_ attempt: [UInt8], _ browser: [UInt8]?) async throws -> TenantID? {
        try await pool.query(.connectTake, attempt, browser).only.decode("tenant_id", as: String?.self)
            .map { try TenantID($0) }
    }
}

/// What a person opens in a browser to connect a tenant: good once, for ``ControlSettings/connectTime``.
package struct ConnectLink: Sendable {
    package let url: String
    package let expiresAt: Date

    /// - Parameter settings: of the server that the link leads to.
    /// - Throws: ``UnknownTenant``.
    package static func make(
        for tenant: TenantID,
        pool: PostgresPool,
        settings: ControlSettings
    ) async throws -> ConnectLink {
        let store = ConnectStore(pool: pool, lifetime: settings.connectTime)
        guard let (ticket, expiresAt) = try await store.makeTicket(tenant) else { throw UnknownTenant(tenant: tenant) }
        return ConnectLink(url: "\(settings.baseURL)/connect/\(ticket)", expiresAt: expiresAt)
    }
}
