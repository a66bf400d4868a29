import Foundation
import JobQueue
import LeaseholdCore
import Logging
import Postgres

/// Builds every part of the program by hand, in the order in which they depend on each other, from
/// the settings. Nothing else in the program makes a pool, a vault or a worker.
///
/// - `Composition+vault`: the token vault with its exchange, key ring and spool.
/// - `Composition+worker`: everything that a worker process runs.
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

    init(settings: SettingsLoader, logger: Logger) {
        self.settings = settings
        self.logger = logger
    }

    /// True behind PgBouncer in transaction mode: a session is no one's for longer than a transaction.
    var isBehindPooler: Bool { settings.text("databasePooler") == "transaction" }

    /// Who runs this command, for the log of actions.
    var source: ActionSource { ActionSource(.command, "\(NSUserName())@\(ProcessInfo.processInfo.hostName)") }

    /// The queue, steered in the name of who runs this command.
    func steeringQueue(_ pool: PostgresPool) -> JobQueue { JobQueue(pool: pool, logger: logger).acting(as: source) }

    /// - Parameter statementTimeout: nil is the server's own.
    func makePool(size: Int, statementTimeout: Duration? = nil) -> PostgresPool {
        var configuration = PostgresConfiguration(url: settings.text("databaseURL"), applicationName: "leasehold")
        configuration.preparesStatements = !isBehindPooler
        configuration.statementTimeout = statementTimeout
        return PostgresPool(configuration: configuration, size: size, logger: logger)
    }

    /// Runs `body` with a pool and closes it afterwards.
    ///
    /// - Parameter needsSchema: refuses a database whose schema is not the one this program knows.
    func withPool<Result>(
        needsSchema: Bool = true,
        _ body: (PostgresPool) async throws -> Result
    ) async throws -> Result {
        let pool = makePool(size: settings.number("databasePoolSize"))
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
