package import Foundation
package import LeaseholdCore
package import Postgres
import SQLFiles

/// The outbox as people look at it and steer it.
package struct PushOutbox: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// The states a push can be in.
    package static let states = ["waiting", "done", "failed", "cancelled"]

    /// Newest first.
    ///
    /// - Parameter before: only with a lower id: the last one of the page before.
    package func list(
        of tenant: TenantID,
        table: String? = nil,
        state: String? = nil,
        before: Int64? = nil,
        limit: Int = 50
    ) async throws -> [PushRecord] {
        try await pool.query(.pushList, tenant.rawValue, table, state, before, Int32(clamping: limit))
            .map { try PushRecord($0) }
    }

    /// - Throws: ``NoPush``.
    package func show(_ push: Int64, of tenant: TenantID) async throws -> PushRecord {
        guard let row = try await pool.query(.pushShow, tenant.rawValue, push).first else {
            throw NoPush(tenant: tenant, push: push)
        }
        return try PushRecord(row)
    }

    /// Sends a push that failed or was cancelled after all, or one that waits at once.
    ///
    /// - Returns: `waiting`, or `done` if Pitchly has it already.
    /// - Throws: ``PostgresError`` with SQLSTATE LH002 once a later push of the record is done.
    package func retry(_ push: Int64, of tenant: TenantID) async throws -> String {
        _ = try await show(push, of: tenant)
        return try await pool.query(.pushRetry, tenant.rawValue, push).only.decode("state")
    }

    /// - Returns: `cancelled`, or what the push had ended as before.
    package func cancel(_ push: Int64, of tenant: TenantID) async throws -> String {
        _ = try await show(push, of: tenant)
        return try await pool.query(.pushCancel, tenant.rawValue, push).only.decode("state")
    }
}

package struct PushRecord: Sendable {
    package let id: Int64
    package let table: String
    /// Nil for an upsert until its row is known.
    package let record: String?
    package let matchFields: [String]?
    /// One of ``PushOutbox/states``.
    package let state: String
    package let attempts: Int
    /// Not sent before.
    package let dueAt: Date
    package let errorClass: String?
    package let error: String?
    package let idempotencyKey: String
    /// A JSON object from field id to the value.
    package let changes: String
    package let createdAt: Date
    package let attemptedAt: Date?
    package let endedAt: Date?

    init(_ row: PostgresRow) throws {
        id = try row.decode("push_id")
        table = try row.decode("table_id")
        record = try row.decode("record_id")
        matchFields = try row.decode("match_fields", as: [String]?.self)
        state = try row.decode("state")
        attempts = Int(try row.decode("attempts", as: Int16.self))
        dueAt = try row.decode("due_at")
        errorClass = try row.decode("error_class")
        error = try row.decode("error")
        idempotencyKey = try row.decode("idempotency_key")
        changes = try row.decode("changes", as: PostgresJSON.self).text
        createdAt = try row.decode("created_at")
        attemptedAt = try row.decode("attempted_at")
        endedAt = try row.decode("ended_at")
    }
}

package struct NoPush: ExplainedError, Equatable {
    package let tenant: TenantID
    package let push: Int64

    package var label: String { "no_push" }
    package var message: String { "expected the id of a push of tenant \(tenant), got \(push)" }
    package var hint: String? { "leasehold push list --tenant \(tenant)" }
}
