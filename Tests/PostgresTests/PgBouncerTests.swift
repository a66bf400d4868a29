import Postgres
import SQLFiles
import TestSupport
import Testing

/// Behind PgBouncer in transaction mode, where the session changes from transaction to transaction.
@Suite(.enabled(if: PgBouncer.isInstalled, "pgbouncer is not installed"))
struct PgBouncerTests {
    private let insert = statement(
        "test_insert",
        "$1 bigint id, $2 text name",
        "insert into t values ($1, $2) returning id"
    )
    private let count = statement("test_count", "none", "select count(*) as n from t")

    @Test func `statements, transactions, pipelines and COPY work while sessions are shared`() async throws {
        try await withBouncer { pool, _ in
            try await pool.run(script: "create table t (id bigint primary key, name text)")
            // More callers than sessions, so that every caller meets every session.
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<40 {
                    group.addTask {
                        let id = number * 10
                        _ = try await pool.query(insert, id, "one")
                        try await pool.withTransaction { connection in
                            _ = try await connection.query(insert, id + 1, "two")
                            _ = try await connection.query(count)
                        }
                        _ = try await pool.pipeline([
                            PostgresCall(insert, id + 2, "three"), PostgresCall(insert, id + 3, nil),
                            PostgresCall(count),
                        ])
                        _ = try await pool.withConnection { connection in
                            try await connection.copyIn("copy t from stdin (format binary)") { writer in
                                try await writer.write(row: id + 4, "five")
                            }
                        }
                    }
                }
                try await group.waitForAll()
            }
            #expect(try await pool.query(count).only.decode("n", as: Int.self) == 200)
        }
    }

    @Test func `no prepared statement and no setting stays behind in a shared session`() async throws {
        try await withBouncer(statementTimeout: .seconds(77)) { pool, _ in
            try await pool.run(script: "create table t (id bigint primary key, name text)")
            _ = try await pool.query(insert, 1, "x")
            _ = try await pool.pipeline([PostgresCall(count), PostgresCall(count)])
            let inside = try await pool.withTransaction { connection in
                try await connection.query(sql: "select current_setting('statement_timeout')").only.decode(
                    0,
                    as: String.self
                )
            }
            #expect(inside == "77s")
            #expect(try await pool.value("select current_setting('statement_timeout')", as: String.self) == "0")
            #expect(try await pool.value("select count(*) from pg_prepared_statements", as: Int.self) == 0)
        }
    }

    @Test func `cancelling reaches the server through PgBouncer`() async throws {
        try await withBouncer { pool, direct in
            let task = Task { try await pool.withConnection { _ = try await $0.query(sql: "select pg_sleep(600)") } }
            try await until(
                direct,
                "exists (select from pg_stat_activity where datname = current_database() and query = 'select pg_sleep(600)' and state = 'active')"
            )
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.value("select 1", as: Int.self) == 1)
        }
    }

    @Test func `migrations apply through PgBouncer`() async throws {
        try await withBouncer { pool, _ in
            let migrator = SchemaMigrator(pool: pool, logger: CapturedLog().logger())
            #expect(try await migrator.migrate().count == SQLFiles.migrations.count)
            try await migrator.check()
        }
    }

    private func withBouncer(
        statementTimeout: Duration? = nil,
        _ body: (PostgresPool, _ direct: PostgresPool) async throws -> Void
    ) async throws {
        try await withEmptyDatabase { database in
            let (folder, port) = try await database.socket()
            try await withPgBouncer(socketFolder: folder, port: port, serverConnections: 3) { bouncer in
                var configuration = PostgresConfiguration(url: bouncer.url(database: database.name))
                configuration.preparesStatements = false
                configuration.statementTimeout = statementTimeout
                try await withPool(configuration, size: 12) { pool in
                    try await untilReachable(pool)
                    try await body(pool, database.pool(size: 1))
                }
            }
        }
    }

    /// PgBouncer answers a moment after it has been started.
    private func untilReachable(_ pool: PostgresPool) async throws {
        for _ in 0..<10 {
            do {
                return try await pool.withConnection { _ in }
            } catch let error as PostgresError where error.code == .cannotConnect {
                // The pool spaces the attempts.
            }
        }
        try await pool.withConnection { _ in }
    }
}
