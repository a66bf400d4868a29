import CLibPQ

extension PostgresConnection {
    /// The error for a failed attempt to connect, from libpq's message.
    ///
    /// - Parameter timeouts: how many addresses did not answer in time.
    func cannotConnect(timeouts: Int) -> PostgresError {
        let connection = link.connection
        let text = PQerrorMessage(connection).map { String(cString: $0) } ?? ""
        func value(_ pointer: UnsafeMutablePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "" }
        let endpoint = ConnectionEndpoint(
            host: value(PQhost(connection)),
            port: value(PQport(connection)),
            user: value(PQuser(connection)),
            database: value(PQdb(connection)),
            password: value(PQpass(connection))
        )
        var message = "cannot connect to the database: \(endpoint.safe(text))"
        if timeouts > 0 {
            message += " (\(timeouts) \(timeouts == 1 ? "address" : "addresses") did not answer in time)"
        }
        return PostgresError(.cannotConnect, message, hint: endpoint.hint(for: text))
    }
}

/// What libpq made of the connection string, to tell a message that names a host from one that
/// quotes a password which was not percent-encoded and so landed in the wrong place.
struct ConnectionEndpoint {
    var host: String
    var port: String
    var user: String
    var database: String
    var password: String

    /// A `@` or `/` in a password moves the rest of it into host, port or database.
    private var isSuspicious: Bool {
        host.contains("@") || database.contains("@") || !port.split(separator: ",").allSatisfy { Int($0) != nil }
    }

    /// libpq's message on one line, without anything that may be a piece of a password.
    func safe(_ message: String) -> String {
        var line = message.split(whereSeparator: \.isNewline).map { $0.trimmingPrefix { $0 == "\t" } }
            .joined(separator: "; ")
        if isSuspicious { return hidingQuotedText(in: line) }
        if !password.isEmpty { line = line.replacing(password, with: "<hidden>") }
        return line
    }

    func hint(for message: String) -> String {
        if isSuspicious {
            return "percent-encode the special characters of the password: @ is %40, / is %2F, : is %3A"
        }
        if message.contains("password") || message.contains("no pg_hba.conf entry") {
            return "check the user, the password (PGPASSWORD or ~/.pgpass) and pg_hba.conf"
        }
        if message.contains("does not exist") { return "create it first: createdb NAME or createuser NAME" }
        if message.contains("SSL") || message.contains("certificate") {
            return "check sslmode, sslrootcert and the server's certificate"
        }
        return "check that the server runs and that host and port are right: pg_isready -d DATABASE_URL"
    }
}
