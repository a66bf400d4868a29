import Foundation
import LeaseholdCore
package import Postgres

/// A PostgreSQL server of one test's own, to restart and break. Only on a unix socket in a folder of
/// its own, with fsync on; runs as the system user `postgres` when the tests run as root, because
/// PostgreSQL refuses root.
///
/// If the test process dies, a watching shell stops the server and removes the folder.
package final class PrivatePostgres: Sendable {
    package let folder: String
    private let programs: PostgresPrograms
    private let watchdog: Watchdog

    private init(folder: String, programs: PostgresPrograms) throws {
        self.folder = folder
        self.programs = programs
        watchdog = try Watchdog(
            """
            \(programs.commandLine("pg_ctl", "-D", "\(folder)/data", "-m", "immediate", "stop")) >/dev/null 2>&1
            rm -rf '\(folder)'
            """
        )
    }

    package var dataFolder: String { "\(folder)/data" }
    package var logFile: String { "\(folder)/log" }
    /// The socket itself, for a ``TCPProxy``.
    package var socketPath: String { "\(folder)/.s.PGSQL.5432" }

    package func url(database: String = "postgres") -> String {
        "postgresql://postgres@/\(database)?host=\(folder)&port=5432"
    }

    package func configuration(database: String = "postgres") -> PostgresConfiguration {
        .patient(url: url(database: database))
    }

    /// Makes a data folder with `settings` added to postgresql.conf, and starts on it.
    static func start(settings: [String: String]) async throws -> PrivatePostgres {
        let programs = try PostgresPrograms.find()
        let server = try PrivatePostgres(folder: try programs.makeFolder(), programs: programs)
        do {
            try await programs.run(
                "initdb",
                "-D",
                server.dataFolder,
                "-A",
                "trust",
                "-U",
                "postgres",
                "-E",
                "UTF8",
                "--locale=C.UTF-8",
                "--no-sync"
            )
            try server.configure(settings)
            try await server.start()
        } catch {
            await server.remove()
            throw error
        }
        return server
    }

    package func start() async throws {
        try await programs.run("pg_ctl", "-D", dataFolder, "-l", logFile, "-w", "start")
    }

    /// - Parameter mode: `immediate` is a crash as far as the clients can see, `fast` tells them.
    package func stop(mode: StopMode) async throws {
        try await programs.run("pg_ctl", "-D", dataFolder, "-w", "-m", mode.rawValue, "stop")
    }

    package enum StopMode: String, Sendable {
        case smart
        case fast
        case immediate
    }

    package func restart(mode: StopMode) async throws {
        try await stop(mode: mode)
        try await start()
    }

    /// Makes a standby of itself into a primary.
    package func promote() async throws {
        try await programs.run("pg_ctl", "-D", dataFolder, "-w", "promote")
    }

    /// Runs `body` with a streaming standby of this server, started.
    ///
    /// - Parameters:
    ///   - name: its application name, for `synchronous_standby_names`.
    ///   - settings: as many connections as this server, at least.
    package func withStandby<R>(
        name: String = "standby",
        settings: [String: String] = [:],
        _ body: (PrivatePostgres) async throws -> R
    ) async throws -> R {
        let standby = try PrivatePostgres(folder: try programs.makeFolder(), programs: programs)
        do {
            try await programs.run(
                "pg_basebackup",
                "-D",
                standby.dataFolder,
                "-R",
                "-X",
                "stream",
                "-c",
                "fast",
                "--no-sync",
                "-d",
                "postgresql://postgres@/postgres?host=\(folder)&port=5432&application_name=\(name)"
            )
            // Once promoted it would otherwise wait for a standby of its own.
            try standby.configure(settings.merging(["synchronous_standby_names": "''"]) { $1 })
            try await standby.start()
            let result = try await body(standby)
            await standby.remove()
            return result
        } catch {
            await standby.remove()
            throw error
        }
    }

    func remove() async {
        await watchdog.release()
    }

    private func configure(_ settings: [String: String]) throws {
        var all = [
            "unix_socket_directories": "'\(folder)'", "listen_addresses": "''", "port": "5432", "max_connections": "60",
            "shared_buffers": "16MB", "fsync": "on",
        ]
        all.merge(settings) { $1 }
        let lines = all.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)\n" }.joined()
        let path = "\(dataFolder)/postgresql.conf"
        let file = try FileHandle(forWritingTo: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seekToEnd()
        try file.write(contentsOf: Data(lines.utf8))
    }
}

/// Runs `body` with a server of its own, which is stopped and removed afterwards.
///
/// - Parameter settings: added to postgresql.conf, values as they stand there.
package func withPrivatePostgres<R>(
    settings: [String: String] = [:],
    _ body: (PrivatePostgres) async throws -> R
) async throws -> R {
    let server = try await PrivatePostgres.start(settings: settings)
    do {
        let result = try await body(server)
        await server.remove()
        return result
    } catch {
        await server.remove()
        throw error
    }
}
