import Foundation
import Postgres
import TestSupport

/// A proxy in front of the test server, and the URL of `database` through it.
func withProxy<R>(
    to database: TestDatabase,
    _ body: (TCPProxy, String) async throws -> R
) async throws -> R {
    let pool = PostgresPool(configuration: database.configuration, size: 1, logger: database.log.logger())
    let folder: String
    let port: Int
    do {
        folder = try await pool.value("select split_part(current_setting('unix_socket_directories'), ',', 1)")
        port = try await pool.value("select current_setting('port')::integer")
    } catch {
        await pool.close()
        throw error
    }
    await pool.close()
    return try await withProxy(socket: "\(folder)/.s.PGSQL.\(port)", database: database.name, body)
}

func withProxy<R>(
    socket: String,
    database: String,
    _ body: (TCPProxy, String) async throws -> R
) async throws -> R {
    let proxy = try TCPProxy(to: .unix(path: socket))
    defer { proxy.close() }
    return try await body(proxy, "postgresql://postgres@127.0.0.1:\(proxy.port)/\(database)?sslmode=disable")
}
