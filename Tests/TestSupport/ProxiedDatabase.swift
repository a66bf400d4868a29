/// Runs `body` with a proxy in front of the test server, and the URL of `database` through it.
package func withProxy<R>(
    to database: TestDatabase,
    _ body: (TCPProxy, String) async throws -> R
) async throws -> R {
    let (folder, port) = try await database.socket()
    return try await withProxy(socket: "\(folder)/.s.PGSQL.\(port)", database: database.name, body)
}

package func withProxy<R>(
    socket: String,
    database: String,
    _ body: (TCPProxy, String) async throws -> R
) async throws -> R {
    let proxy = try TCPProxy(to: .unix(path: socket))
    defer { proxy.close() }
    let options = "sslmode=disable&gssencmode=disable"
    return try await body(proxy, "postgresql://postgres@127.0.0.1:\(proxy.port)/\(database)?\(options)")
}
