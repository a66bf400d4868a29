import LeaseholdCore
import Logging
import Postgres
import SQLFiles

/// What became of one typed view.
struct ViewChange: Sendable, Equatable {
    let table: String
    let view: String?
    /// `unchanged`, `created`, `changed`, `waiting` (a reader holds it) or `failed`.
    let outcome: String
    let problem: String?
}

extension MirrorStore {
    /// Brings the table's typed view in step with its fields. Waits for readers no longer than the
    /// function says (250 ms a view); what had to wait is tried again by the workers' maintenance.
    func refreshViews(of table: String, in tenant: TenantID) async throws -> [ViewChange] {
        try await pool.query(.mirrorViewRefresh, tenant.rawValue, table).map { row in
            ViewChange(
                table: try row.decode("table_id"),
                view: try row.decode("view_name"),
                outcome: try row.decode("outcome"),
                problem: try row.decode("problem")
            )
        }
    }
}

extension SyncJobs {
    /// Tries again the views that readers held. For the workers' maintenance.
    package func retryViews() async throws { _ = try await store.pool.query(.mirrorViewRetry, Int32(10)) }

    /// After the merge and apart from it: a dashboard that holds a view must not hold up a sync, and a
    /// view that cannot be made is no reason to read the table again.
    func refreshViews(of table: String, _ context: SyncContext) async {
        do {
            for change in try await store.refreshViews(of: table, in: context.tenant)
            where change.outcome != "unchanged" {
                context.logger.log(
                    level: change.outcome == "failed" ? .warning : .info,
                    "mirror_view_\(change.outcome)",
                    metadata: [
                        "table": "\(change.table)", "view": "\(change.view ?? "-")",
                        "problem": "\(change.problem ?? "-")",
                    ]
                )
            }
        } catch {
            context.logger.warning(
                "mirror_view_failed",
                metadata: ["table": "\(table)", "error": "\(errorText(error))"]
            )
        }
    }
}
