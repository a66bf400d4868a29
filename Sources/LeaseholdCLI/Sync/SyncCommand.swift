import ArgumentParser
import LeaseholdCore

/// Mirrors of Pitchly's tables: asks for syncs, watches them, compares.
struct SyncCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sync",
        abstract: "Syncs a tenant's Pitchly tables, watches it, and compares mirrors with their sources.",
        discussion: """
              leasehold sync run --tenant acme
              leasehold sync status --tenant acme
              leasehold sync diff --tenant acme --table tblXGzqcXTH7PX7fj
            """,
        subcommands: [
            SyncRunCommand.self, SyncStatusCommand.self, SyncHistoryCommand.self, SyncDiffCommand.self,
            SyncConfirmCommand.self,
        ]
    )
}

/// Whose tables.
struct SyncTarget: ParsableArguments {
    @Option(help: "Tenant id.") var tenant: String
    @Option(help: "Only this table: its id, as leasehold sync status shows it.") var table: String?

    var tenantID: TenantID { get throws { try TenantID(tenant) } }
}
