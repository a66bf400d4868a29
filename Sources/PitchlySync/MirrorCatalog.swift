package import LeaseholdCore
package import Postgres
import SQLFiles

/// What commands and dashboards ask about mirrors. Reads, except where a request is made.
package struct MirrorCatalog: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// All tables of a tenant by name, or one of them.
    ///
    /// - Throws: ``NoMirroredTable`` if `table` is given and is not mirrored.
    package func tables(of tenant: TenantID, only table: String? = nil) async throws -> [MirrorTableStatus] {
        let tables = try await pool.query(.mirrorTableList, tenant.rawValue, table).map { try MirrorTableStatus($0) }
        if let table, tables.isEmpty { throw NoMirroredTable(tenant: tenant, table: table) }
        return tables
    }

    /// The latest runs first.
    package func runs(of tenant: TenantID, table: String?, limit: Int) async throws -> [SyncRunRecord] {
        try await pool.query(.syncRunList, tenant.rawValue, table, Int32(clamping: limit)).map { try SyncRunRecord($0) }
    }

    /// Asks for a sync of one table. While one runs, the request is remembered, once.
    ///
    /// - Throws: ``NoMirroredTable``.
    package func request(_ table: String, of tenant: TenantID, queue: QueueName = .default) async throws -> JobID {
        _ = try await tables(of: tenant, only: table)
        let row = try await pool.query(.syncRequest, tenant.rawValue, table, queue.rawValue).only
        return JobID(rawValue: try row.decode("job_id"))
    }

    /// Lets the next sync of a table delete what it finds gone, whatever share that is, and asks for it.
    ///
    /// - Throws: ``NoMirroredTable``.
    package func confirm(_ table: String, of tenant: TenantID) async throws -> JobID {
        _ = try await tables(of: tenant, only: table)
        return JobID(rawValue: try await pool.query(.syncConfirm, tenant.rawValue, table).only.decode("job_id"))
    }
}

/// A table that is not mirrored: no `pitchly.sync` has found it, or the id is another one's.
package struct NoMirroredTable: ExplainedError, Equatable {
    package let tenant: TenantID
    package let table: String

    package var label: String { "no_mirrored_table" }
    package var message: String {
        "expected the id of a mirrored table of tenant \(tenant), got \"\(table.prefix(140))\""
    }
    package var hint: String? { "leasehold sync status --tenant \(tenant)" }
}
