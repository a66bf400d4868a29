import LeaseholdCore
import Postgres
import SQLFiles

extension MirrorStore {
    enum MergeVerdict: Sendable, Equatable {
        case merged(MergeResult)
        /// Nothing was changed.
        case suspicious(MergeResult)
        /// Nothing was changed: fewer records than the API counts, or none where there were some.
        case short(records: Int)
        /// The server crashed and emptied the staged records: read again.
        case stageLost
    }

    /// Makes the mirror equal to what the run has read, in one transaction.
    ///
    /// The statement's time grows with the table, so the pool's own timeout does not hold for it; the
    /// job's timeout does.
    ///
    /// - Parameter acceptsShort: false asks for a second look at a table that comes out short.
    func merge(_ run: SyncRun, settings: SyncSettings, acceptsShort: Bool) async throws -> MergeVerdict {
        let row = try await pool.withTransaction { connection in
            try await connection.run(script: "set local statement_timeout = 0")
            return try await connection.query(
                .mirrorMerge,
                run.tenant.rawValue,
                run.id,
                run.job.rawValue,
                run.claim.rawValue,
                settings.deletedShare,
                settings.deletedFloor,
                settings.overlap.seconds,
                acceptsShort
            ).only
        }
        switch try row.decode("outcome", as: String.self) {
        case "merged": return .merged(try MergeResult(row))
        case "suspicious": return .suspicious(try MergeResult(row))
        case "short": return .short(records: try row.decode("record_count"))
        case "stage_lost": return .stageLost
        default: throw SyncInterruption.lost(syncID: run.id)
        }
    }
}

extension MergeResult {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            inserted: try row.decode("inserted"),
            updated: try row.decode("updated"),
            deleted: try row.decode("deleted"),
            unchanged: try row.decode("unchanged"),
            recordCount: try row.decode("record_count")
        )
    }
}
