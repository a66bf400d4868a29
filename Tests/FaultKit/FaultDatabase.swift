import Foundation
package import Logging
package import Postgres
import SQLFiles
package import TestSupport

/// A database with the whole schema on a server that may be broken, and what the fault tests do to it
/// behind everybody's back.
package final class FaultDatabase: Sendable {
    package let server: PrivatePostgres
    package let name: String
    package let pool: PostgresPool

    private init(server: PrivatePostgres, name: String, pool: PostgresPool) {
        self.server = server
        self.name = name
        self.pool = pool
    }

    /// Of another server that has the same database: a promoted standby.
    package func moved(to server: PrivatePostgres, logger: Logger) -> FaultDatabase {
        FaultDatabase(server: server, name: name, pool: Self.pool(server, name, logger))
    }

    package static func make(on server: PrivatePostgres, name: String, logger: Logger) async throws -> FaultDatabase {
        let admin = pool(server, "postgres", logger)
        let created: Result<Void, any Error>
        do {
            created = .success(
                try await admin.withConnection { try await $0.run(script: "create database \"\(name)\"") }
            )
        } catch {
            created = .failure(error)
        }
        await admin.close()
        try created.get()
        let database = FaultDatabase(server: server, name: name, pool: pool(server, name, logger))
        _ = try await SchemaMigrator(pool: database.pool, logger: logger).migrate()
        try await database.installWatch()
        return database
    }

    private static func pool(_ server: PrivatePostgres, _ name: String, _ logger: Logger) -> PostgresPool {
        PostgresPool(
            configuration: PostgresConfiguration(url: server.url(database: name), applicationName: "fault-director"),
            size: 8,
            waitLimit: .seconds(120),
            logger: logger
        )
    }

    /// Tells ``CredentialWatch`` of every change of a credential.
    private func installWatch() async throws {
        try await pool.withConnection { connection in
            try await connection.run(
                script: """
                    create function public.tell_watch() returns trigger language plpgsql as
                    $$ begin perform pg_notify('\(CredentialWatch.channel)', new.tenant_id); return null; end $$;
                    create trigger tell_watch after insert or update on leasehold.credential
                        for each row execute function public.tell_watch();
                    """
            )
        }
    }

    /// No provider-wide pause gets between a trial and its end.
    package func relaxProvider() async throws {
        try await run(
            """
            update leasehold.provider
            set unanswered_limit = 1000000, dead_limit = 1000000, failover_hold = '2 seconds'
            """
        )
    }

    package func run(_ sql: String) async throws {
        try await pool.withConnection { _ = try await $0.query(sql: sql) }
    }

    /// Makes a credential due now and wanted; leaves one alone that is being exchanged or recovered.
    package func nudge(_ tenant: String) async throws {
        try await pool.withConnection { connection in
            _ = try await connection.query(
                sql: """
                    with due as (
                        update leasehold.credential
                        set refresh_due_at = clock_timestamp(), refresh_requested_at = clock_timestamp(), not_before = null
                        where tenant_id in (
                            select tenant_id from leasehold.credential
                            where tenant_id = $1 and state = 'active' and attempt_id is null and suspect_reason is null
                            for update skip locked)
                        returning tenant_id)
                    select pg_notify('leasehold_credential', 'due ' || tenant_id) from due
                    """,
                tenant
            )
        }
    }

    /// Kills the session whose transaction holds the tenant's row.
    ///
    /// - Returns: whether there was one.
    @discardableResult
    package func killHolder(of tenant: String) async throws -> Bool {
        try await pool.withConnection { connection in
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

    package func openRung(of tenant: String) async throws -> String? {
        try await pool.withConnection { connection in
            try await connection.query(
                sql: "select attempt_rung from leasehold.credential_status where tenant_id = $1",
                tenant
            ).first?.decode(0, as: String?.self)
        }
    }

    package func standing(of tenant: String) async throws -> CredentialStanding? {
        try await pool.withConnection { connection in
            try await connection.query(
                sql: """
                    select state, generation, exchanging, suspect_reason, last_outcome, last_error_class, rungs_tried
                    from leasehold.credential_status where tenant_id = $1
                    """,
                tenant
            ).first.map(CredentialStanding.init)
        }
    }

    /// What the vault wrote about a tenant's exchanges since an earlier number, oldest first.
    package func log(of tenant: String, after number: Int64) async throws -> [ExchangeLine] {
        try await pool.withConnection { connection in
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
    package let state: String
    package let generation: Int64
    package let isExchanging: Bool
    package let suspectReason: String?
    package let lastOutcome: String?
    package let lastErrorClass: String?
    package let rungsTried: [String]

    init(_ row: PostgresRow) throws {
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
