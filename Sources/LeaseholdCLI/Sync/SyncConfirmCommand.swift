import ArgumentParser
import LeaseholdCore
import PitchlySync

struct SyncConfirmCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "confirm",
        abstract: "Lets the next sync of a suspicious table delete what Pitchly no longer has, once, and asks for it.",
        discussion: """
            Look at Pitchly first: a sync is suspicious when it would delete more than half of a mirror.

              leasehold sync diff --tenant acme --table tblXGzqcXTH7PX7fj
              leasehold sync confirm --tenant acme --table tblXGzqcXTH7PX7fj
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "Tenant id.") var tenant: String
    @Option(help: "Id of the table.") var table: String

    func run() async throws {
        let id = try TenantID(tenant)
        try await Composition(settings, command: "sync").withPool { pool in
            let job = try await MirrorCatalog(pool: pool).confirm(table, of: id)
            var answer = Table(columns: ["job", "table"])
            answer.add([job.description, table])
            output.json
                ? output.show(answer) : print("job \(job) syncs \(table); it may delete any share of its mirror")
        }
    }
}
