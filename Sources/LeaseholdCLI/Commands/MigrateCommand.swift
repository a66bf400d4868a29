import ArgumentParser
import LeaseholdCore
import Postgres

/// Brings the schema `leasehold` of the database to the version of this program.
struct MigrateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "migrate",
        abstract: "Makes or upgrades the schema leasehold in the database.",
        discussion: """
            Each migration is one transaction; several programs that migrate at once take turns. The database's \
            user must be allowed to create the schema.

              leasehold migrate --database-url postgresql:///app
            """
    )

    @OptionGroup var settings: SettingsOptions
    @OptionGroup var output: OutputOptions
    @Flag(help: "Only say which version the database has and which this program needs.")
    var dryRun = false

    func run() async throws {
        let composition = try Composition(settings, command: "migrate")
        try await composition.withPool(needsSchema: false) { pool in
            let migrator = SchemaMigrator(pool: pool, logger: composition.logger)
            if dryRun {
                let current = try await migrator.currentVersion()
                return output.say(
                    "database: version \(current); program: \(migrator.targetVersion)",
                    ["database version": String(current), "program version": String(migrator.targetVersion)]
                )
            }
            let applied = try await migrator.migrate()
            output.say(
                (applied.map { "applied \($0)" } + ["the schema is at version \(migrator.targetVersion)"])
                    .joined(separator: "\n"),
                ["version": String(migrator.targetVersion), "applied": applied.joined(separator: " ")]
            )
        }
    }
}
