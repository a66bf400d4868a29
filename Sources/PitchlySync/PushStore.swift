import LeaseholdCore
import Pitchly
import Postgres
import SQLFiles

/// The outbox as the jobs that send it see it.
struct PushStore: Sendable {
    let pool: PostgresPool

    /// One push that waits.
    struct Item: Sendable, Equatable {
        let id: Int64
        let record: String?
        let matchFields: [String]?
        /// A JSON object from field id to the value.
        let changes: String
        /// Attempts that failed so far.
        let attempts: Int
    }

    enum Outcome: String, Sendable {
        case done
        case failed
        /// Later.
        case again
    }

    /// What is to be sent next, together: the first push of each record.
    func take(_ table: String, of tenant: TenantID, limit: Int) async throws -> [Item] {
        try await pool.query(.pushTake, tenant.rawValue, table, Int32(clamping: limit)).map { row in
            Item(
                id: try row.decode("push_id"),
                record: try row.decode("record_id"),
                matchFields: try row.decode("match_fields", as: [String]?.self),
                changes: try row.decode("changes"),
                attempts: Int(try row.decode("attempts", as: Int16.self))
            )
        }
    }

    /// - Parameter record: of the row that an upsert found or made.
    func settle(
        _ items: [Item],
        of tenant: TenantID,
        _ outcome: Outcome,
        errorClass: String? = nil,
        error: String? = nil,
        record: String? = nil
    ) async throws {
        _ = try await pool.query(
            .pushSettle,
            tenant.rawValue,
            items.map(\.id),
            outcome.rawValue,
            errorClass,
            error,
            record
        )
    }

    /// How long until the next push of the table is due; nil if none waits.
    func due(_ table: String, of tenant: TenantID) async throws -> Duration? {
        try await pool.query(.pushDue, tenant.rawValue, table).only
            .decode("seconds", as: Double?.self).map { .seconds($0) }
    }

    func isPaused(_ tenant: TenantID) async throws -> Bool {
        try await pool.query(.syncSettings, tenant.rawValue).first?.decode("state", as: String.self) == "paused"
    }

    func prune(keep: Duration, batch: Int32) async throws -> Int64 {
        try await pool.query(.pushPrune, keep.seconds, batch).only.decode("pruned")
    }
}
