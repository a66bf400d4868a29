import Logging
package import Postgres
import TestSupport

/// The database of a stage, on a server that is broken on purpose, and what is done to it behind the
/// workers' backs. Reached by a proxy, so that it can move to another server.
package final class FaultDatabase: Sendable {
    package let pool: PostgresPool
    private let proxy: TCPProxy

    private init(pool: PostgresPool, proxy: TCPProxy) {
        self.pool = pool
        self.proxy = proxy
    }

    /// Makes the schema in the server's one database.
    static func make(on server: PrivatePostgres, logger: Logger) async throws -> FaultDatabase {
        let proxy = try TCPProxy(to: .unix(path: server.socketPath))
        let pool = PostgresPool(
            configuration: PostgresConfiguration(url: url(port: proxy.port), applicationName: "fault-director"),
            size: 8,
            waitLimit: .seconds(120),
            logger: logger
        )
        let database = FaultDatabase(pool: pool, proxy: proxy)
        do {
            _ = try await SchemaMigrator(pool: pool, logger: logger).migrate()
        } catch {
            await database.close()
            throw error
        }
        return database
    }

    /// Through a proxy to the server's socket: nothing is negotiated before the protocol begins.
    static func url(port: Int) -> String {
        "postgresql://postgres@127.0.0.1:\(port)/postgres?connect_timeout=5&sslmode=disable&gssencmode=disable"
    }

    func move(to server: PrivatePostgres) { proxy.redirect(to: .unix(path: server.socketPath)) }

    func close() async {
        await pool.close()
        proxy.close()
    }

    /// Asks again while the server is away, for a minute at most.
    package func ask<R>(_ body: (PostgresConnection) async throws -> R) async throws -> R {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(60)
        while true {
            do {
                return try await pool.withConnection(body)
            } catch let error as PostgresError where error.isConnectionLost && clock.now < end {
                try await clock.sleep(for: .milliseconds(100))
            }
        }
    }

    package func run(_ sql: String) async throws {
        try await ask { _ = try await $0.query(sql: sql) }
    }

    /// No pause of the whole provider gets between a trial and its end.
    func relaxProvider() async throws {
        try await run("update leasehold.provider set unanswered_limit = 1000000, dead_limit = 1000000")
    }

    /// Makes credentials due now and wanted; leaves those alone that are being exchanged or recovered.
    package func nudge(_ tenants: [String]) async throws {
        try await ask { connection in
            _ = try await connection.query(
                sql: """
                    with due as (
                        update leasehold.credential
                        set refresh_due_at = clock_timestamp(), refresh_requested_at = clock_timestamp(),
                            not_before = null
                        where tenant_id in (
                            select tenant_id from leasehold.credential
                            where tenant_id = any ($1) and state = 'active' and attempt_id is null
                                and suspect_reason is null
                            for update skip locked)
                        returning tenant_id)
                    select pg_notify('leasehold_credential', 'due ' || tenant_id) from due
                    """,
                tenants
            )
        }
    }

    /// Kills the session whose transaction holds the tenant's row.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    func killHolder(of tenant: String) async throws -> Bool {
        try await ask { connection in
            let rows = try await connection.query(
                sql: """
                    select pg_terminate_backend(a.pid)
                    from leasehold.credential c join pg_stat_activity a on a.backend_xid = c.xmax
                    where c.tenant_id = $1
                    """,
                tenant
            )
            return !rows.isEmpty
        }
    }

    /// Of the intent that is open.
    func openRung(of tenant: String) async throws -> String? {
        try await ask { connection in
            try await connection.query(
                sql: "select attempt_rung from leasehold.credential_status where tenant_id = $1",
                tenant
            ).first?.decode(0, as: String?.self)
        }
    }

    package func standings(of tenants: [String]) async throws -> [CredentialStanding] {
        try await ask { connection in
            try await connection.query(
                sql: """
                    select tenant_id, state, generation, exchanging, suspect_reason, last_outcome, last_error_class,
                        rungs_tried
                    from leasehold.credential_status where tenant_id = any ($1) order by tenant_id
                    """,
                tenants
            ).map(CredentialStanding.init)
        }
    }

    /// What the vault wrote about a tenant's exchanges since an earlier number, oldest first.
    package func log(of tenant: String, after number: Int64 = 0) async throws -> [ExchangeLine] {
        try await ask { connection in
            try await connection.query(
                sql: """
                    select exchange_id, rung, outcome, coalesce(error_class, '') as error_class
                    from leasehold.credential_exchange where tenant_id = $1 and exchange_id > $2 order by exchange_id
                    """,
                tenant,
                number
            ).map(ExchangeLine.init)
        }
    }
}

/// What the row says.
package struct CredentialStanding: Sendable {
    package let tenant: String
    package let state: String
    package let generation: Int64
    package let isExchanging: Bool
    package let suspectReason: String?
    package let lastOutcome: String?
    package let lastErrorClass: String?
    package let rungsTried: [String]

    init(_ row: PostgresRow) throws {
        tenant = try row.decode("tenant_id")
        state = try row.decode("state")
        generation = try row.decode("generation")
        isExchanging = try row.decode("exchanging")
        suspectReason = try row.decode("suspect_reason")
        lastOutcome = try row.decode("last_outcome")
        lastErrorClass = try row.decode("last_error_class")
        rungsTried = try row.decode("rungs_tried")
    }

    package var isHealthy: Bool { state == "active" && !isExchanging && suspectReason == nil }
}

package struct ExchangeLine: Sendable {
    package let number: Int64
    package let rung: String
    package let outcome: String
    package let errorClass: String

    init(_ row: PostgresRow) throws {
        number = try row.decode("exchange_id")
        rung = try row.decode("rung")
        outcome = try row.decode("outcome")
        errorClass = try row.decode("error_class")
    }
}
