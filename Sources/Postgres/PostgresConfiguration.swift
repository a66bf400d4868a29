/// Where the database is and how a connection to it behaves.
package struct PostgresConfiguration: Sendable {
    /// A libpq URI (`postgresql://user@host/db?sslmode=verify-full`) or key=value string. Nil
    /// leaves everything to the `PG*` variables and the service file. It may hold a password, so
    /// it appears in no description.
    package var url: String?

    /// What `pg_stat_activity` shows, unless the URL or `PGAPPNAME` names something else.
    package var applicationName: String

    /// For each address that is tried: resolving it, connecting, TLS and authentication. A
    /// `connect_timeout` in the URL or `PGCONNECT_TIMEOUT` wins. Default 10 s.
    package var connectTimeout: Duration = .seconds(10)

    /// The server ends a statement that runs longer. Nil is the server's own setting.
    ///
    /// With ``preparesStatements`` off the three timeouts below hold inside transactions only,
    /// because a session setting would leak to PgBouncer's other clients.
    package var statementTimeout: Duration?

    /// The server ends a statement that waits longer for one lock. Nil is the server's setting.
    package var lockTimeout: Duration?

    /// The server ends a session that leaves a transaction open without a statement for longer.
    /// Nil is the server's setting.
    package var idleInTransactionTimeout: Duration?

    /// Whether statements from ``SQLFiles`` are prepared once per connection. Off behind PgBouncer
    /// in transaction mode, where two statements may reach two sessions. Default true.
    package var preparesStatements = true

    /// How long a statement may go on after its task was cancelled and the server was asked to
    /// stop it, before the connection is given up. Default 5 s.
    package var cancelGrace: Duration = .seconds(5)

    package init(url: String? = nil, applicationName: String = "leasehold") {
        self.url = url
        self.applicationName = applicationName
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomReflectable {
    package var description: String {
        "PostgresConfiguration(url: \(url == nil ? "none" : "<redacted>"), applicationName: \(applicationName))"
    }

    package var customMirror: Mirror { Mirror(self, children: ["applicationName": applicationName]) }
}
