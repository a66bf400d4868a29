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
    @Flag(help: "Only say which version the database has and which this program needs.")
    var dryRun = false

    func run() async throws {
        let composition = try Composition(settings, command: "migrate")
        try await composition.withPool(needsSchema: false) { pool in
            let migrator = SchemaMigrator(pool: pool, logger: composition.logger)
            if dryRun {
                print("database: version \(try await migrator.currentVersion()); program: \(migrator.targetVersion)")
                return
            }
            let applied = try await migrator.migrate()
            for name in applied { print("applied \(name)") }
            print("the schema is at version \(migrator.targetVersion)")
        }
    }
}
