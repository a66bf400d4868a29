package import Foundation
package import LeaseholdCore
import Postgres

/// A mirrored table as people look at it: what it holds, what is being done with it, what was done last.
package struct MirrorTableStatus: Sendable, Equatable {
    package let id: String
    package let workspace: String
    package let name: String
    /// `live`, or `gone`: the API no longer shows it.
    package let state: String
    package let records: Int
    package let syncedAt: Date?
    package let fullSyncedAt: Date?
    /// The next sync may delete any share of it.
    package let deletionConfirmed: Bool
    /// The run under way.
    package let reading: Reading?
    /// The last run that ended.
    package let ended: Ended?
    /// The live job that syncs the table.
    package let job: Job?
    package let view: View?
    /// The database's clock.
    package let now: Date

    package struct Reading: Sendable, Equatable {
        package let id: Int64
        package let pages: Int
        package let rows: Int
        /// As the API counts; nil if it does not.
        package let expectedRows: Int?
        package let startedAt: Date

        /// From 0 to 1, by the API's own count.
        package var share: Double? {
            expectedRows.flatMap { $0 > 0 ? min(1, Double(rows) / Double($0)) : nil }
        }
    }

    package struct Ended: Sendable, Equatable {
        package let id: Int64
        /// `merged`, `suspicious` or `abandoned`.
        package let state: String
        package let inserted: Int?
        package let updated: Int?
        package let deleted: Int?
        package let unchanged: Int?
        package let reason: String?
        package let finishedAt: Date
    }

    package struct Job: Sendable, Equatable {
        package let id: JobID
        /// `scheduled`, `ready`, `running` or `parked`.
        package let state: String
        package let runAt: Date
        package let error: String?
    }

    package struct View: Sendable, Equatable {
        /// With its schema, quoted where it must be; nil until it could be made.
        package let name: String?
        /// `current`, `waiting` or `failed`.
        package let state: String
        package let problem: String?
    }
}

extension MirrorTableStatus {
    init(_ row: PostgresRow) throws {
        self.init(
            id: try row.decode("table_id"),
            workspace: try row.decode("workspace_id"),
            name: try row.decode("name"),
            state: try row.decode("state"),
            records: Int(try row.decode("record_count", as: Int64.self)),
            syncedAt: try row.decode("synced_at"),
            fullSyncedAt: try row.decode("full_synced_at"),
            deletionConfirmed: try row.decode("deletion_confirmed"),
            reading: try Reading(row),
            ended: try Ended(row),
            job: try Job(row),
            view: try View(row),
            now: try row.decode("now")
        )
    }
}

extension MirrorTableStatus.Reading {
    fileprivate init?(_ row: PostgresRow) throws {
        guard let id = try row.decode("sync_id", as: Int64?.self) else { return nil }
        self.init(
            id: id,
            pages: Int(try row.decode("pages", as: Int32.self)),
            rows: Int(try row.decode("rows", as: Int64.self)),
            expectedRows: try row.decode("expected_rows", as: Int64?.self).map { Int($0) },
            startedAt: try row.decode("started_at")
        )
    }
}

extension MirrorTableStatus.Ended {
    fileprivate init?(_ row: PostgresRow) throws {
        guard let id = try row.decode("ended_sync_id", as: Int64?.self) else { return nil }
        self.init(
            id: id,
            state: try row.decode("ended_state"),
            inserted: try row.decode("inserted", as: Int64?.self).map { Int($0) },
            updated: try row.decode("updated", as: Int64?.self).map { Int($0) },
            deleted: try row.decode("deleted", as: Int64?.self).map { Int($0) },
            unchanged: try row.decode("unchanged", as: Int64?.self).map { Int($0) },
            reason: try row.decode("reason"),
            finishedAt: try row.decode("finished_at")
        )
    }
}

extension MirrorTableStatus.Job {
    fileprivate init?(_ row: PostgresRow) throws {
        guard let id = try row.decode("job_id", as: Int64?.self) else { return nil }
        self.init(
            id: JobID(rawValue: id),
            state: try row.decode("job_state"),
            runAt: try row.decode("job_run_at"),
            error: try row.decode("job_error")
        )
    }
}

extension MirrorTableStatus.View {
    fileprivate init?(_ row: PostgresRow) throws {
        guard let state = try row.decode("view_state", as: String?.self) else { return nil }
        let schema = try row.decode("schema_name", as: String?.self)
        let name = try row.decode("view_name", as: String?.self)
        let quoted = { (word: String) in "\"\(word.replacing("\"", with: "\"\""))\"" }
        self.init(
            name: schema.flatMap { schema in name.map { "\(quoted(schema)).\(quoted($0))" } },
            state: state,
            problem: try row.decode("view_problem")
        )
    }
}
