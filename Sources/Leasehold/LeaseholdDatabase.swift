internal import JobQueue
internal import Logging
internal import Postgres

/// Where Leasehold's schema is, and what lies between here and there.
public struct LeaseholdDatabase: Sendable {
    /// A libpq URI (`postgresql://user@host/db?sslmode=verify-full`) or key=value string; nil leaves
    /// it to the `PG*` variables. It may hold a password and appears in no text.
    public var url: String?

    /// A second URL that reaches the server directly, for notifications, if ``url`` leads to
    /// PgBouncer in transaction mode. Nil without such a pooler, or to poll.
    public var directURL: String?

    /// True if ``url`` leads to a pooler that gives each transaction another session, such as
    /// PgBouncer in transaction mode: nothing is prepared then, and without ``directURL`` a worker
    /// polls and a job may wait 2 s for it. Default false.
    public var isPooled: Bool

    public init(url: String? = nil, isPooled: Bool = false, directURL: String? = nil) {
        self.url = url
        self.isPooled = isPooled
        self.directURL = directURL
    }

    func pool(size: Int, logger: Logger) -> PostgresPool {
        var configuration = PostgresConfiguration(url: url)
        configuration.preparesStatements = !isPooled
        return PostgresPool(configuration: configuration, size: size, logger: logger)
    }

    /// For notifications; nil if none can arrive.
    func listeningPool(besides pool: PostgresPool, logger: Logger) -> PostgresPool? {
        guard let directURL else { return isPooled ? nil : pool }
        return PostgresPool(configuration: PostgresConfiguration(url: directURL), size: 1, logger: logger)
    }
}

extension LeaseholdDatabase: CustomStringConvertible, CustomReflectable {
    public var description: String { "LeaseholdDatabase(isPooled: \(isPooled))" }
    public var customMirror: Mirror { Mirror(self, children: ["isPooled": isPooled]) }
}
