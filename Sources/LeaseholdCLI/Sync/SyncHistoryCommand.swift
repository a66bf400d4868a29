import ArgumentParser
import Foundation
import LeaseholdCore
import PitchlySync

struct SyncHistoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "history",
        abstract: "Lists the readings of a tenant's tables, newest first.",
        discussion: "  leasehold sync history --tenant acme --table tblXGzqcXTH7PX7fj --limit 10"
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var target: SyncTarget
    @Option(help: "Most rows.") var limit = 50

    func validate() throws {
        guard (1...10_000).contains(limit) else {
            throw ValidationError("expected --limit to be 1 to 10000, got \(limit)")
        }
    }

    func run() async throws {
        let tenant = try target.tenantID
        try await Composition(settings, command: "sync").withPool { pool in
            let catalog = MirrorCatalog(pool: pool)
            if target.table != nil { _ = try await catalog.tables(of: tenant, only: target.table) }
            var table = Table(columns: [
                "sync", "table", "name", "mode", "state", "started", "took", "pages", "rows", "inserted", "updated",
                "deleted", "unchanged", "takeovers", "restarts", "fields changed", "reason",
            ])
            for run in try await catalog.runs(of: tenant, table: target.table, limit: limit) {
                table.add([
                    String(run.id), run.table, run.tableName, run.mode, run.state, Times.stamp(run.startedAt),
                    run.finishedAt.map { Times.span($0.timeIntervalSince(run.startedAt)) }, String(run.pages),
                    String(run.rows), run.inserted.map(String.init), run.updated.map(String.init),
                    run.deleted.map(String.init), run.unchanged.map(String.init), String(run.takeovers),
                    String(run.restarts), run.fieldChanges == "[]" ? nil : run.fieldChanges, run.reason,
                ])
            }
            output.show(table)
        }
    }
}
