import Foundation
import LeaseholdCore
import Logging
import Postgres

/// Builds every part of the program by hand, in the order in which they depend on each other, from
/// the settings. Nothing else in the program makes a pool, a vault or a worker.
struct Composition {
    let settings: SettingsLoader
    let logger: Logger

    /// Reads the settings and starts the log output.
    ///
    /// - Throws: ``SettingsError``.
    init(_ options: SettingsOptions, command: String) throws {
        settings = try options.load()
        LogOutput.start(settings)
        logger = Logger(label: "leasehold.\(command)")
    }

    func databaseConfiguration(applicationName: String) -> PostgresConfiguration {
        var configuration = PostgresConfiguration(
            url: settings.text("databaseURL"),
            applicationName: applicationName
        )
        configuration.preparesStatements = !isBehindPooler
        return configuration
    }

    /// True behind PgBouncer in transaction mode: a session is no one's for longer than a transaction.
    var isBehindPooler: Bool { settings.text("databasePooler") == "transaction" }

    /// Runs `body` with a pool and closes it afterwards.
    ///
    /// - Parameter needsSchema: refuses a database whose schema is not the one this program knows.
    func withPool<Result>(
        needsSchema: Bool = true,
        _ body: (PostgresPool) async throws -> Result
    ) async throws
        -> Result
    {
        let pool = PostgresPool(
            configuration: databaseConfiguration(applicationName: "leasehold"),
            size: settings.number("databasePoolSize"),
            logger: logger
        )
        do {
            if needsSchema { try await SchemaMigrator(pool: pool, logger: logger).check() }
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }
}
