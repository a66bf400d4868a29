package import Foundation
package import LeaseholdCore
import Postgres

/// One reading of one table, under way or ended, for `leasehold sync history`.
package struct SyncRunRecord: Sendable {
    package let id: Int64
    package let table: String
    package let tableName: String
    /// `reading`, `merged`, `suspicious` or `abandoned`.
    package let state: String
    /// `full` or `incremental`.
    package let mode: String
    package let job: JobID
    package let pages: Int
    package let rows: Int
    package let expectedRows: Int?
    package let inserted: Int?
    package let updated: Int?
    package let deleted: Int?
    package let unchanged: Int?
    /// A JSON array with what changed about the fields.
    package let fieldChanges: String
    /// How often another claim went on with it, and how often it began again at the first page.
    package let takeovers: Int
    package let restarts: Int
    package let reason: String?
    package let startedAt: Date
    package let finishedAt: Date?

    init(_ row: PostgresRow) throws {
        id = try row.decode("sync_id")
        table = try row.decode("table_id")
        tableName = try row.decode("table_name")
        state = try row.decode("state")
        mode = try row.decode("mode")
        job = JobID(rawValue: try row.decode("job_id"))
        pages = Int(try row.decode("pages", as: Int32.self))
        rows = Int(try row.decode("rows", as: Int64.self))
        expectedRows = try row.decode("expected_rows", as: Int64?.self).map { Int($0) }
        inserted = try row.decode("inserted", as: Int64?.self).map { Int($0) }
        updated = try row.decode("updated", as: Int64?.self).map { Int($0) }
        deleted = try row.decode("deleted", as: Int64?.self).map { Int($0) }
        unchanged = try row.decode("unchanged", as: Int64?.self).map { Int($0) }
        fieldChanges = try row.decode("field_changes", as: PostgresJSON.self).text
        takeovers = Int(try row.decode("takeovers", as: Int32.self))
        restarts = Int(try row.decode("restarts", as: Int32.self))
        reason = try row.decode("reason")
        startedAt = try row.decode("started_at")
        finishedAt = try row.decode("finished_at")
    }
}
