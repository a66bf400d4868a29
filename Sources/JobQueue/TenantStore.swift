package import Foundation
package import LeaseholdCore
package import Postgres
import SQLFiles

/// The tenants: who may have jobs here, how large their share is and whether they are paused.
package struct TenantStore: Sendable {
    private let pool: PostgresPool
    /// Whose name is written into the log of actions.
    private let source: ActionSource?

    package init(pool: PostgresPool, as source: ActionSource? = nil) {
        self.pool = pool
        self.source = source
    }

    /// The same tenants, steered in somebody's name.
    package func acting(as source: ActionSource?) -> TenantStore { TenantStore(pool: pool, as: source) }

    /// Adds a tenant, or renames the one that is there; a nil `name` keeps the old one.
    ///
    /// - Returns: false if it was there already.
    @discardableResult
    package func add(_ tenant: TenantID, name: String? = nil) async throws -> Bool {
        try await pool.query(as: source, .tenantAdd, tenant.rawValue, name).only.decode("added")
    }

    /// A page in the order of the ids.
    package func list(after tenant: TenantID? = nil, limit: Int = 100) async throws -> [TenantRecord] {
        try await pool.query(.tenantList, tenant?.rawValue, Int32(clamping: limit)).map { try TenantRecord($0) }
    }

    /// - Throws: ``UnknownTenant``.
    package func show(_ tenant: TenantID) async throws -> (tenant: TenantRecord, load: TenantLoad) {
        guard let row = try await pool.query(.tenantShow, tenant.rawValue).first else {
            throw UnknownTenant(tenant: tenant)
        }
        return (try TenantRecord(row), try TenantLoad(row))
    }

    /// A paused tenant's jobs are not claimed; those that run finish, and enqueuing goes on.
    ///
    /// - Throws: ``UnknownTenant``.
    package func setPaused(_ isPaused: Bool, _ tenant: TenantID) async throws {
        let rows = try await pool.query(as: source, .tenantPause, tenant.rawValue, isPaused ? "paused" : "active")
        if rows.isEmpty { throw UnknownTenant(tenant: tenant) }
    }

    /// Sets the share and all limits; nil is no limit.
    ///
    /// - Parameter weight: 0.01 to 1000; a tenant of weight 2 gets twice the share of one of weight 1
    ///   while both have work.
    /// - Throws: ``UnknownTenant``, or a ``PostgresError`` naming the constraint that a value breaks.
    package func limit(_ tenant: TenantID, to limits: QueueLimits, weight: Double = 1) async throws {
        let rows = try await pool.query(
            as: source,
            .tenantLimit,
            tenant.rawValue,
            Float(weight),
            limits.maxRunning.map { Int32(clamping: $0) },
            limits.ratePerSecond.map { Float($0) },
            limits.rateBurst.map { Int32(clamping: $0) }
        )
        if rows.isEmpty { throw UnknownTenant(tenant: tenant) }
    }
}

/// A tenant as it stands in the table, with what is shown of its credential.
package struct TenantRecord: Sendable {
    package let id: TenantID
    package let name: String
    /// `active` or `paused`.
    package let state: String
    package let weight: Float
    package let maxRunning: Int?
    package let createdAt: Date
    /// `empty`, `active` or `needs_authorization`; nil if it never had one.
    package let credentialState: String?
    package let generation: Int64?
    package let accessExpiresAt: Date?
    /// The database's clock.
    package let now: Date

    init(_ row: PostgresRow) throws {
        id = try TenantID(try row.decode("tenant_id", as: String.self))
        name = try row.decode("name")
        state = try row.decode("state")
        weight = try row.decode("weight")
        maxRunning = try row.decode("max_running", as: Int32?.self).map { Int($0) }
        createdAt = try row.decode("created_at")
        credentialState = try row.decode("credential_state")
        generation = try row.decode("generation")
        accessExpiresAt = try row.decode("access_expires_at")
        now = try row.decode("now")
    }
}

/// What is too dear to count for every tenant of a list.
package struct TenantLoad: Sendable {
    package let running: Int
    package let parked: Int
    /// Jobs started per second on average; nil is no limit.
    package let ratePerSecond: Float?
    package let rateBurst: Int?
    /// A JSON object.
    package let settings: String

    init(_ row: PostgresRow) throws {
        running = Int(try row.decode("running", as: Int64.self))
        parked = Int(try row.decode("parked", as: Int64.self))
        ratePerSecond = try row.decode("rate_per_second")
        rateBurst = try row.decode("rate_burst", as: Int32?.self).map { Int($0) }
        settings = try row.decode("settings", as: PostgresJSON.self).text
    }
}

/// A tenant id that nobody added.
package struct UnknownTenant: ExplainedError, Equatable {
    package let tenant: TenantID

    package init(tenant: TenantID) { self.tenant = tenant }

    package var label: String { "unknown_tenant" }
    package var message: String { "expected a tenant that was added, got \"\(tenant)\"" }
    package var hint: String? { "leasehold tenants add \(tenant)" }
}
