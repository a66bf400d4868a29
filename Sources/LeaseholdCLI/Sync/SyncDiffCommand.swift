import ArgumentParser
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import PitchlySync

struct SyncDiffCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "diff",
        abstract: "Compares a tenant's mirrors with Pitchly, record by record, and changes nothing.",
        discussion: """
            Reads every record at Pitchly. Exit status: 0 equal, 2 different, 1 it could not be compared.

              leasehold sync diff --tenant acme
              leasehold sync diff --tenant acme --table tblXGzqcXTH7PX7fj --examples 20
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var target: SyncTarget
    @Option(help: "Record ids shown of each kind of difference.") var examples = 5

    func validate() throws {
        guard (0...10_000).contains(examples) else {
            throw ValidationError("expected --examples to be 0 to 10000, got \(examples)")
        }
    }

    func run() async throws {
        let tenant = try target.tenantID
        let composition = try Composition(settings, command: "sync")
        let (diffs, isMoving) = try await composition.withSyncJobs { jobs, pool in
            let tables = try await MirrorCatalog(pool: pool).tables(of: tenant, only: target.table)
                .filter { target.table != nil || $0.state == "live" }
            var diffs: [(MirrorTableStatus, TableDiff)] = []
            var line = ProgressLine(isSilent: output.json)
            for table in tables {
                let diff = try await jobs.diff(
                    table.id,
                    of: tenant,
                    examples: examples,
                    logger: composition.logger
                ) { rows, expected in
                    line.show("\(table.name): \(rows)" + (expected.map { " of \($0)" } ?? "") + " records compared")
                }
                diffs.append((table, diff))
            }
            line.clear()
            return (diffs, diffs.contains { $0.1.mirrorMoved })
        }
        show(diffs)
        if isMoving {
            FileHandle.standardError.write(
                Data(
                    "Warning: a sync changed a mirror meanwhile, so a difference may be none. Try: the same again\n"
                        .utf8
                )
            )
        }
        if diffs.contains(where: { !$0.1.isEmpty }) { throw ExitCode(2) }
    }

    private func show(_ diffs: [(MirrorTableStatus, TableDiff)]) {
        var table = Table(columns: [
            "table", "name", "inserted", "changed", "missing", "equal", "fields", "examples",
        ])
        for (status, diff) in diffs {
            let examples = [("inserted", diff.inserted), ("changed", diff.changed), ("missing", diff.missing)]
                .filter { !$0.1.examples.isEmpty }
                .map { "\($0.0): \($0.1.examples.joined(separator: " "))" }
            table.add([
                status.id, status.name, String(diff.inserted.count), String(diff.changed.count),
                String(diff.missing.count), String(diff.equal),
                diff.fields.isEmpty ? nil : diff.fields.joined(separator: "; "),
                examples.isEmpty ? nil : examples.joined(separator: "; "),
            ])
        }
        output.show(table)
    }
}
