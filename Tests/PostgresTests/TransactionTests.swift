import Postgres
import SQLFiles
import TestSupport
import Testing

@Suite struct TransactionTests {
    @Test func `an ignored error turns COMMIT into an error`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id integer)")
            let error = try await postgresError {
                try await pool.withTransaction { connection in
                    _ = try await connection.query(sql: "insert into t values (1)")
                    _ = try? await connection.query(sql: "select 1 / 0")
                }
            }
            #expect(error.code == .rolledBack)
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `a COMMIT whose answer is lost is told apart from everything else`() async throws {
        try await withEmptyDatabase { database in
            let direct = database.pool(size: 1)
            try await direct.run(script: "create table t (id integer)")
            try await withProxy(to: database) { proxy, url in
                let pool = database.pool(size: 1) { $0.url = url }
                let error = try await postgresError {
                    try await pool.withTransaction { connection in
                        _ = try await connection.query(sql: "insert into t values (1)")
                        proxy.set(.cutReply(after: 0), once: true)
                    }
                }
                #expect(error.code == .commitUnknown)
                #expect(error.effect == .unknown)
                #expect(error.isConnectionLost)
                // The server did commit, and the pool goes on with a new connection.
                try await until(direct, "(select count(*) from t) = 1")
                #expect(try await pool.value("select count(*) from t", as: Int.self) == 1)
            }
        }
    }

    @Test func `a statement whose request never left leaves no doubt`() async throws {
        try await withEmptyDatabase { database in
            try await withProxy(to: database) { proxy, url in
                let pool = database.pool(size: 1) { $0.url = url }
                let error = try await postgresError {
                    try await pool.withTransaction { connection in
                        proxy.cutAll()
                        // The end of the connection is noticed by a statement at the latest.
                        _ = try? await connection.query(sql: "select 1")
                        _ = try await connection.query(sql: "select 2")
                    }
                }
                #expect(error.code == .connectionLost)
                #expect(error.effect == .none)
            }
        }
    }

    @Test func `a connection that died while idle is replaced at BEGIN without an error`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let killer = database.pool(size: 1)
            let pid = try await pool.withConnection { await $0.backendPID }
            try await killer.run(script: "select pg_terminate_backend(\(pid))")
            try await until(killer, "not exists (select from pg_stat_activity where pid = \(pid))")
            let newPID = try await pool.withTransaction { await $0.backendPID }
            #expect(newPID != pid)
        }
    }

    @Test func `the options reach the server`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let options = PostgresTransactionOptions(
                isolation: .serializable,
                isReadOnly: true,
                isDeferrable: true,
                synchronousCommit: .remoteApply
            )
            let settings = ["isolation", "read_only", "deferrable"].map { "current_setting('transaction_\($0)')" }
            let values = try await pool.withTransaction(options) { connection in
                try await connection.query(
                    sql: "select array[\(settings.joined(separator: ", ")), current_setting('synchronous_commit')]"
                ).only.decode(0, as: [String].self)
            }
            #expect(values == ["serializable", "on", "on", "remote_apply"])
            let after = try await pool.value("select current_setting('synchronous_commit')", as: String.self)
            #expect(after == "on")
        }
    }

    @Test func `a transaction inside a transaction is refused`() async throws {
        try await withEmptyDatabase { database in
            let error = try await postgresError {
                try await database.pool().withTransaction { connection in
                    try await connection.withTransaction { _ in }
                }
            }
            #expect(error.code == .misuse)
        }
    }

    @Test func `a serialization failure says that it can be tried again`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 2)
            try await pool.run(script: "create table t (id integer); insert into t values (1)")
            let error = try await postgresError {
                try await pool.withTransaction(.init(isolation: .repeatableRead)) { connection in
                    _ = try await connection.query(sql: "select * from t")
                    try await pool.run(script: "update t set id = 2")
                    _ = try await connection.query(sql: "update t set id = 3")
                }
            }
            #expect(error.isRetryable)
            #expect(error.label == "serialization_failure")
            #expect(error.effect == .none)
        }
    }

    @Test(arguments: [true, false])
    func `the configured timeouts hold`(preparesStatements: Bool) async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1) { configuration in
                configuration.preparesStatements = preparesStatements
                configuration.statementTimeout = .seconds(120)
                configuration.lockTimeout = .milliseconds(2500)
                configuration.idleInTransactionTimeout = .seconds(60)
            }
            let names = ["statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"]
            let sql = "select array[\(names.map { "current_setting('\($0)')" }.joined(separator: ", "))]"
            let inside = try await pool.withTransaction { connection in
                try await connection.query(sql: sql).only.decode(0, as: [String].self)
            }
            #expect(inside == ["2min", "2500ms", "1min"])
            // Nothing may stay in a session that other clients of PgBouncer get next.
            let outside = try await pool.value(sql, as: [String].self)
            #expect(outside == (preparesStatements ? inside : ["0", "0", "0"]))
        }
    }
}
