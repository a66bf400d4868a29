import ArgumentParser
import Foundation
import LeaseholdCore
import PitchlySync

struct SyncStatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status",
        abstract: "Shows a tenant's mirrored tables: age, size, what is under way, the typed view.",
        discussion: "  leasehold sync status --tenant acme"
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var target: SyncTarget

    func run() async throws {
        let tenant = try target.tenantID
        try await Composition(settings, command: "sync").withPool { pool in
            var table = Table(columns: [
                "table", "name", "state", "records", "synced", "read as a whole", "now", "last run", "reason", "view",
            ])
            for status in try await MirrorCatalog(pool: pool).tables(of: tenant, only: target.table) {
                table.add(Self.row(status))
            }
            output.show(table)
        }
    }

    private static func row(_ status: MirrorTableStatus) -> [String?] {
        [
            status.id, status.name, status.deletionConfirmed ? "\(status.state), deletion confirmed" : status.state,
            String(status.records), Times.distance(status.syncedAt, from: status.now),
            Times.distance(status.fullSyncedAt, from: status.now), activity(status), status.ended?.state,
            status.ended?.reason ?? status.job?.error, view(status.view),
        ]
    }

    /// `reading 1500 of 4000`, `waiting for its turn`; nil if nothing goes on.
    private static func activity(_ status: MirrorTableStatus) -> String? {
        if let reading = status.reading, status.job?.state == "running" {
            return "reading \(reading.rows)" + (reading.expectedRows.map { " of \($0)" } ?? "")
        }
        switch status.job?.state {
        case "ready": return "waiting for its turn"
        case "scheduled": return "resting, \(Times.distance(status.job?.runAt, from: status.now) ?? "")"
        default: return status.job?.state
        }
    }

    private static func view(_ view: MirrorTableStatus.View?) -> String? {
        guard let view else { return nil }
        let name = view.name ?? "none"
        return view.problem.map { "\(name) (\(view.state): \($0))" } ?? name
    }
}
