package import JobQueue
import LeaseholdCore
import Logging
import Pitchly

extension SyncJobs {
    /// `pitchly.sync`: lists the tenant's workspaces and tables and asks for a sync of each table.
    ///
    /// - Throws: ``PostgresError`` and CancellationError; everything else becomes an outcome.
    package func sync(_ context: SyncContext) async throws -> JobOutcome {
        do {
            let client = client(for: context)
            let workspaces = try await workspaces(of: context, client)
            let (shown, gone) = try await store.put(workspaces, of: context.tenant)
            let requested = try await store.requestTables(of: context.tenant, queue: settings.queue)
            context.logger.info(
                "sync_requested",
                metadata: ["tables": "\(requested)", "shown": "\(shown)", "gone": "\(gone)"]
            )
            return .completed
        } catch {
            return try outcome(of: error, advanced: false)
        }
    }

    /// Every workspace with its tables. Complete or an error: what it lacks counts as gone.
    private func workspaces(of context: SyncContext, _ client: PitchlyClient) async throws -> [PitchlyWorkspace] {
        let chosen = try await store.settings(of: context.tenant).workspaces
        let ids = if let chosen { chosen } else { try await listed(client, context.tenant) }
        var workspaces: [PitchlyWorkspace] = []
        for id in ids {
            // A workspace that was taken away from the grant is not an error; its tables are gone.
            if let workspace = try await client.read(dialect.tables(workspace: id)) {
                workspaces.append(workspace)
            }
        }
        guard ids.isEmpty || !workspaces.isEmpty else {
            throw NoWorkspace(tenant: context.tenant, ids: ids)
        }
        return workspaces
    }

    private func listed(_ client: PitchlyClient, _ tenant: TenantID) async throws -> [String] {
        guard let workspaces = dialect.workspaces() else {
            throw NoListing(tenant: tenant, dialect: dialect.name, cause: nil)
        }
        do {
            return try await client.read(workspaces).map(\.id)
        } catch let error as PitchlyError where error.kind == .invalidDocument {
            throw NoListing(tenant: tenant, dialect: dialect.name, cause: error)
        }
    }
}

/// The API shows none of the workspaces that the settings name.
struct NoWorkspace: ExplainedError {
    let tenant: TenantID
    let ids: [String]

    var label: String { "no_workspace" }
    var message: String {
        "expected tenant \(tenant) to see at least one of \(ids.count) workspaces (\(ids.prefix(3).joined(separator: ", "))), "
            + "got none"
    }
    var hint: String? { "check the workspace ids in the tenant's settings and what the app was granted at Pitchly" }
}

/// The API has no query that lists workspaces.
struct NoListing: ExplainedError {
    let tenant: TenantID
    let dialect: DialectName
    /// Nil for a dialect that has no such query at all.
    let cause: PitchlyError?

    var label: String { "no_workspace_listing" }
    var message: String {
        switch dialect {
        case .platform:
            "the workspaces of tenant \(tenant) cannot be listed: \(cause?.message ?? "no query lists them")"
        case .v2: "which organisation tenant \(tenant) is at Pitchly is not known: v2 has no query that tells"
        }
    }
    var hint: String? {
        let id =
            switch dialect {
            case .platform: "wks..."
            case .v2: "the organisation's id, from https://v2.pitchly.net/t/ID/d/..."
            }
        return "update leasehold.tenant set settings = settings || '{\"pitchly\": {\"workspaces\": [\"\(id)\"]}}' "
            + "where tenant_id = '\(tenant)'"
    }
}
