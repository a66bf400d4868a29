package import Foundation
package import LeaseholdCore
package import Postgres
import SQLFiles

/// The keys of the HTTP interface, as they stand in the database.
package struct APIKeyStore: Sendable {
    private let pool: PostgresPool
    private let source: ActionSource?

    /// - Parameter source: whose name is written into the log of actions where a key is made or revoked.
    package init(pool: PostgresPool, as source: ActionSource? = nil) {
        self.pool = pool
        self.source = source
    }

    /// Makes a key.
    ///
    /// - Parameter lifetime: nil never ends.
    /// - Returns: its id, and the key itself, which is shown this once and kept nowhere.
    /// - Throws: ``UnknownTenantOfKey``; a ``PostgresError`` naming the constraint that a value breaks.
    package func create(
        name: String,
        scopes: Set<APIScope>,
        tenant: TenantID? = nil,
        lifetime: Duration? = nil
    ) async throws -> (id: String, key: Secret, expiresAt: Date?) {
        let (id, key) = (RandomText.id(), "lsk_" + RandomText.secret())
        do {
            let row = try await pool.query(
                as: source,
                .apiKeyAdd,
                id,
                name,
                RandomText.hash(key),
                scopes.map(\.rawValue).sorted(),
                tenant?.rawValue,
                lifetime?.seconds
            ).only
            return (id, Secret(key), try row.decode("expires_at"))
        } catch let error as PostgresError where error.isServer(.foreignKeyViolation) {
            throw UnknownTenantOfKey(tenant: tenant?.rawValue ?? "")
        }
    }

    /// Newest first.
    package func list() async throws -> [APIKeyRecord] {
        try await pool.query(.apiKeyList).map { try APIKeyRecord($0) }
    }

    /// Refuses the key from now on, and ends its sessions.
    ///
    /// - Throws: ``UnknownAPIKey``.
    package func revoke(_ id: String) async throws {
        if try await pool.query(as: source, .apiKeyRevoke, id).isEmpty { throw UnknownAPIKey(id: id) }
    }

    func caller(key: String) async throws -> Caller? {
        try await pool.query(.apiKeyUse, RandomText.hash(key)).first.map { try Caller($0) }
    }

    func caller(session: String) async throws -> Caller? {
        try await pool.query(.apiSessionUse, RandomText.hash(session)).first.map { try Caller($0) }
    }

    /// - Returns: the cookie.
    func openSession(key id: String, lifetime: Duration) async throws -> String {
        let session = RandomText.secret()
        try await pool.query(.apiSessionAdd, RandomText.hash(session), id, lifetime.seconds)
        return session
    }

    func endSession(_ session: String) async throws {
        try await pool.query(.apiSessionEnd, RandomText.hash(session))
    }
}

/// A key as it is listed.
package struct APIKeyRecord: Sendable {
    package let id: String
    package let name: String
    package let scopes: [String]
    package let tenant: String?
    package let createdAt: Date
    package let expiresAt: Date?
    package let revokedAt: Date?
    package let lastUsedAt: Date?
    /// The database's clock.
    package let now: Date

    init(_ row: PostgresRow) throws {
        id = try row.decode("api_key_id")
        name = try row.decode("name")
        scopes = try row.decode("scopes")
        tenant = try row.decode("tenant_id")
        createdAt = try row.decode("created_at")
        expiresAt = try row.decode("expires_at")
        revokedAt = try row.decode("revoked_at")
        lastUsedAt = try row.decode("last_used_at")
        now = try row.decode("now")
    }

    /// `good`, `expired` or `revoked`.
    package var state: String {
        if revokedAt != nil { return "revoked" }
        return expiresAt.map { $0 <= now } ?? false ? "expired" : "good"
    }
}

extension Caller {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            keyID: try row.decode("api_key_id"),
            name: try row.decode("name"),
            scopes: Set(try row.decode("scopes", as: [String].self).compactMap(APIScope.init(rawValue:))),
            tenant: try row.decode("tenant_id", as: String?.self).map { try TenantID($0) }
        )
    }
}

/// No key has the id.
package struct UnknownAPIKey: ExplainedError {
    package let id: String
    package var label: String { "unknown_api_key" }
    package var message: String { "expected the id of an API key, got \"\(id)\"" }
    package var hint: String? { "leasehold api-keys list" }
}

/// A key should be bound to a tenant that nobody added.
package struct UnknownTenantOfKey: ExplainedError {
    package let tenant: String
    package var label: String { "unknown_tenant" }
    package var message: String { "expected a tenant that was added, got \"\(tenant)\"" }
    package var hint: String? { "leasehold tenants add \(tenant)" }
}
