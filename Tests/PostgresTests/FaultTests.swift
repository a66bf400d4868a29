import Postgres
import TestSupport
import Testing

/// Connections cut at chosen bytes.
@Suite struct FaultTests {
    @Test func `an answer cut at any byte is an unknown outcome, and the pool goes on`() async throws {
        try await withEmptyDatabase { database in
            try await withProxy(to: database) { proxy, url in
                let pool = database.pool(size: 1) { $0.url = url }
                let whole = try await answerLength(proxy, pool)
                for bytes in 0..<whole {
                    _ = try await pool.value("select 1", as: Int.self)
                    proxy.set(.cutReply(after: bytes), once: true)
                    let error = try await postgresError { _ = try await pool.value("select 42", as: Int.self) }
                    #expect(error.code == .connectionLost, "cut after \(bytes)")
                    #expect(error.effect == .unknown, "cut after \(bytes)")
                    #expect(pool.idleCount == 0, "cut after \(bytes)")
                }
                #expect(try await pool.value("select 42", as: Int.self) == 42)
            }
        }
    }

    @Test func `a request cut at any byte changes nothing in the database`() async throws {
        try await withEmptyDatabase { database in
            let direct = database.pool(size: 1)
            try await direct.run(script: "create table t (id integer)")
            try await withProxy(to: database) { proxy, url in
                let pool = database.pool(size: 1) { $0.url = url }
                for bytes in stride(from: 0, to: 60, by: 7) {
                    _ = try await pool.value("select 1", as: Int.self)
                    proxy.set(.cutRequest(after: bytes), once: true)
                    let error = try await postgresError {
                        try await pool.withConnection { _ = try await $0.query(sql: "insert into t values (1)") }
                    }
                    #expect(error.isConnectionLost)
                }
                #expect(try await direct.value("select count(*) from t", as: Int.self) == 0)
            }
        }
    }

    @Test func `a pipeline and a copy that lose their connection are errors of that kind too`() async throws {
        try await withEmptyDatabase { database in
            try await withProxy(to: database) { proxy, url in
                let pool = database.pool(size: 1) { $0.url = url }
                let file = statement("test_echo", "$1 bigint n", "select $1 as n")
                _ = try await pool.pipeline([PostgresCall(file, 1)])
                proxy.set(.cutReply(after: 20), once: true)
                let pipeline = try await postgresError {
                    _ = try await pool.pipeline([PostgresCall(file, 1), PostgresCall(file, 2)])
                }
                #expect(pipeline.code == .connectionLost && pipeline.effect == .unknown)
                try await pool.run(script: "create table t (id bigint)")
                let copyIn = try await postgresError {
                    try await pool.withConnection { connection in
                        _ = try await connection.copyIn("copy t from stdin (format binary)") { writer in
                            proxy.set(.cutRequest(after: 100_000), once: true)
                            for id in 0..<1_000_000 { try await writer.write(row: id) }
                        }
                    }
                }
                #expect(copyIn.code == .connectionLost)
                let copyOut = try await postgresError {
                    try await pool.withConnection { connection in
                        proxy.set(.cutReply(after: 100_000), once: true)
                        _ = try await connection.copyOut("copy (select generate_series(1, 1000000)) to stdout") { _ in }
                    }
                }
                #expect(copyOut.code == .connectionLost)
                #expect(pool.idleCount == 0)
                #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            }
        }
    }

    @Test func `a server that takes no connection is reported and found again`() async throws {
        try await withEmptyDatabase { database in
            try await withProxy(to: database) { proxy, url in
                let clock = TestClock()
                let pool = database.pool(size: 1, clock: clock) { $0.url = url }
                proxy.set(.refuse)
                let refused = try await postgresError { try await pool.withConnection { _ in } }
                #expect(refused.code == .cannotConnect)
                proxy.heal()
                let again = Task { try await pool.value("select 1", as: Int.self) }
                await clock.sleepers(1)
                clock.advance(by: .seconds(5))
                let value = try await again.value
                #expect(value == 1)
            }
        }
    }

    @Test func `an address that does not take the connection costs its time and the next one is tried`() async throws {
        try await withEmptyDatabase { database in
            try await withProxy(to: database) { proxy, _ in
                let full = try FullListener()
                defer { full.close() }
                var configuration = database.configuration
                configuration.connectTimeout = .seconds(2)
                configuration.url =
                    "host=127.0.0.1,127.0.0.1 port=\(full.port),\(proxy.port) user=postgres dbname=\(database.name) "
                    + "sslmode=disable"
                try await withPool(configuration) { pool in
                    let value = try await pool.value("select 1", as: Int.self)
                    #expect(value == 1)
                }
            }
        }
    }

    @Test func `a cancelled task stops connecting`() async throws {
        try await withEmptyDatabase { database in
            try await withProxy(to: database) { proxy, url in
                proxy.set(.holdReplies)
                let pool = database.pool(size: 1) { configuration in
                    configuration.url = url
                    configuration.connectTimeout = .seconds(600)
                }
                let task = Task { try await pool.withConnection { _ in } }
                await proxy.connections(1)
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(pool.leasedCount == 0)
            }
        }
    }

    /// Bytes of the answer to `select 42`, found by cutting later and later.
    private func answerLength(_ proxy: TCPProxy, _ pool: PostgresPool) async throws -> Int {
        _ = try await pool.value("select 1", as: Int.self)
        let before = proxy.replyByteCount
        _ = try await pool.value("select 42", as: Int.self)
        return proxy.replyByteCount - before
    }
}
