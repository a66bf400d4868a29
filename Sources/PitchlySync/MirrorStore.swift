import Foundation
import LeaseholdCore
import Pitchly
import Postgres
import SQLFiles

/// Everything that sync jobs read from and write to the database. Writes of a run are fenced by its
/// claim: they throw ``SyncInterruption/lost(syncID:)`` once another claim holds the run.
struct MirrorStore: Sendable {
    let pool: PostgresPool

    /// The tenant's own settings for Pitchly; the empty ones if it has none.
    func settings(of tenant: TenantID) async throws -> TenantSettings {
        let rows = try await pool.query(.syncSettings, tenant.rawValue)
        let json = try rows.first?.decode("pitchly", as: PostgresJSON?.self)
        return try TenantSettings(json: json?.text, tenant: tenant)
    }

    /// Writes down a complete listing.
    func put(_ workspaces: [PitchlyWorkspace], of tenant: TenantID) async throws -> (shown: Int, gone: Int) {
        let tables = workspaces.flatMap { workspace in
            workspace.tables.map { TableShape(id: $0.id, workspace: workspace.id, name: $0.name) }
        }
        let row = try await pool.query(.mirrorTablePut, tenant.rawValue, try json(tables)).only
        return (try row.decode("shown", as: Int.self), try row.decode("gone", as: Int.self))
    }

    /// - Returns: how many tables.
    func requestTables(of tenant: TenantID, queue: String) async throws -> Int {
        try await pool.query(.syncRequestMany, tenant.rawValue, queue).only.decode("requested", as: Int.self)
    }

    func request(_ table: String, of tenant: TenantID, queue: String) async throws -> JobID {
        JobID(rawValue: try await pool.query(.syncRequest, tenant.rawValue, table, queue).only.decode("job_id"))
    }

    func markGone(_ table: String, of tenant: TenantID) async throws {
        _ = try await pool.query(.mirrorTableGone, tenant.rawValue, table)
    }

    /// - Parameters:
    ///   - fullEvery: nil allows only a full run.
    ///   - fieldChanges: of ``put(_:of:in:)``, to be noted in the run.
    ///   - sourceTime: Pitchly's clock before the first page is asked for; nil if it did not say.
    /// - Throws: ``SyncInterruption/busy(owner:)`` or ``SyncInterruption/lost(syncID:)``.
    func open(
        _ table: String,
        for context: SyncContext,
        dialect: String,
        fullEvery: Duration?,
        fieldChanges: FieldChanges,
        sourceTime: Date?
    ) async throws -> SyncRun {
        let row = try await pool.query(
            .syncOpen,
            context.tenant.rawValue,
            table,
            context.job.rawValue,
            context.run.rawValue,
            dialect,
            fullEvery != nil,
            fullEvery?.seconds ?? 0,
            PostgresJSON(fieldChanges.json),
            sourceTime
        ).only
        let id = try row.decode("sync_id", as: Int64.self)
        switch try row.decode("outcome", as: String.self) {
        case "busy": throw SyncInterruption.busy(owner: JobID(rawValue: try row.decode("owner_job_id")))
        case "lost": throw SyncInterruption.lost(syncID: id)
        default: break
        }
        return SyncRun(
            tenant: context.tenant,
            table: table,
            id: id,
            job: context.job,
            claim: context.run,
            mode: try row.decode("since", as: Date?.self).map { .incremental(since: $0) } ?? .full,
            cursor: try row.decode("page_cursor", as: String?.self),
            pages: Int(try row.decode("pages", as: Int32.self)),
            rows: try row.decode("rows", as: Int.self)
        )
    }

    /// Writes down the fields of a table as the API shows them now.
    func put(_ fields: [PitchlyField], of table: String, in tenant: TenantID) async throws -> FieldChanges {
        let shapes = fields.map { FieldShape(id: $0.id, name: $0.name, type: $0.type) }
        let row = try await pool.query(.mirrorFieldPut, tenant.rawValue, table, try json(shapes)).only
        return FieldChanges(json: try row.decode("changes", as: PostgresJSON.self).text)
    }

    /// Stages a page and moves the checkpoint, both or neither.
    ///
    /// Without waiting for the disk: a crash of the server empties the staged records anyway.
    func write(_ page: RecordPage, to run: inout SyncRun) async throws {
        let fixed = run
        let row = try await pool.withTransaction(.init(synchronousCommit: .off)) { connection in
            if !page.records.isEmpty {
                let copy = StageCopy(
                    tenant: fixed.tenant,
                    syncID: fixed.id,
                    page: Int32(fixed.pages + 1),
                    records: page.records
                )
                _ = try await connection.copyIn(StageCopy.statement) { try await $0.write(bytes: copy.bytes) }
            }
            let rows = try await connection.query(
                .syncAdvance,
                fixed.tenant.rawValue,
                fixed.id,
                fixed.job.rawValue,
                fixed.claim.rawValue,
                page.nextCursor,
                page.records.count,
                page.totalCount,
                page.repairs
            )
            guard let row = rows.first else { throw SyncInterruption.lost(syncID: fixed.id) }
            return row
        }
        run.cursor = page.nextCursor
        run.pages = Int(try row.decode("pages", as: Int32.self))
        run.rows = try row.decode("rows", as: Int.self)
        run.expectedRows = try row.decode("expected_rows", as: Int?.self)
        if try row.decode("is_paused", as: Bool.self) { throw SyncInterruption.paused(tenant: run.tenant) }
    }

    func startOver(_ run: inout SyncRun) async throws {
        let row = try await pool.query(
            .syncRestart,
            run.tenant.rawValue,
            run.id,
            run.job.rawValue,
            run.claim.rawValue
        ).only
        guard try row.decode("restarted", as: Bool.self) else { throw SyncInterruption.lost(syncID: run.id) }
        run.startOver()
    }

    /// Throws away what a finished run had staged.
    func clear(_ run: SyncRun) async throws {
        try await pool.withTransaction(.init(synchronousCommit: .off)) { connection in
            try await connection.run(script: "set local statement_timeout = 0")
            try await connection.query(.mirrorStageClear, run.tenant.rawValue, run.id)
        }
    }

    private func json(_ value: some Encodable) throws -> PostgresJSON {
        PostgresJSON(String(decoding: try JSONEncoder().encode(value), as: UTF8.self))
    }
}

/// A JSON array with an object per change: `{"change": "retyped", "field_id": …, …}`.
struct FieldChanges: Sendable, Equatable {
    let json: String

    var isEmpty: Bool { json == "[]" }
}

private struct TableShape: Encodable {
    let id: String
    let workspace: String
    let name: String
}

private struct FieldShape: Encodable {
    let id: String
    let name: String
    let type: String
}
