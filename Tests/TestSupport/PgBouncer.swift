import Foundation
import LeaseholdCore

/// A PgBouncer in transaction mode in front of a server's unix socket.
package struct PgBouncer: Sendable {
    private let folder: String

    package func url(database: String) -> String {
        "postgresql://postgres@/\(database)?host=\(folder)&port=6432"
    }

    package static var isInstalled: Bool { path != nil }

    fileprivate static var path: String? {
        ["/usr/sbin/pgbouncer", "/usr/bin/pgbouncer", "/usr/local/bin/pgbouncer", "/opt/homebrew/bin/pgbouncer"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    fileprivate init(folder: String) { self.folder = folder }
}

/// Runs `body` with a PgBouncer in front of the server whose socket lies in `socketFolder`.
///
/// - Parameter serverConnections: most connections to the server for each database.
package func withPgBouncer<R>(
    socketFolder: String,
    port: Int,
    serverConnections: Int,
    _ body: (PgBouncer) async throws -> R
) async throws -> R {
    guard let path = PgBouncer.path else {
        throw TestSupportError(
            label: "no_pgbouncer",
            message: "expected pgbouncer to be installed, got none",
            hint: "scripts/setup"
        )
    }
    let programs = try PostgresPrograms.find()
    let folder = try programs.makeFolder()
    let configuration = """
        [databases]
        * = host=\(socketFolder) port=\(port) user=postgres
        [pgbouncer]
        pool_mode = transaction
        listen_addr =
        listen_port = 6432
        unix_socket_dir = \(folder)
        auth_type = any
        default_pool_size = \(serverConnections)
        logfile = \(folder)/log
        pidfile = \(folder)/pid
        """
    try configuration.write(toFile: "\(folder)/ini", atomically: false, encoding: .utf8)
    let watchdog = try Watchdog("kill -9 $(cat '\(folder)/pid'); rm -rf '\(folder)'")
    do {
        try await programs.run(path: path, "-d", "\(folder)/ini")
        let result = try await body(PgBouncer(folder: folder))
        await watchdog.release()
        return result
    } catch {
        await watchdog.release()
        throw error
    }
}
