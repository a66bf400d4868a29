import Postgres
import SQLFiles
import TestSupport
import Testing

@Suite struct CancellationTests {
    @Test func `cancelling the task stops the statement on the server and keeps the connection`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 2) { $0.cancelGrace = .seconds(60) }
            let pid = try await pool.withConnection { connection in
                let pid = await connection.backendPID
                let task = Task { try await connection.query(sql: "select pg_sleep(600)") }
                try await until(pool, "exists (select from pg_stat_activity where pid = \(pid) and state = 'active')")
                task.cancel()
                await #expect(throws: CancellationError.self) { try await task.value }
                #expect(try await connection.query(sql: "select 7").only.decode(0, as: Int.self) == 7)
                return pid
            }
            let stillThere = try await pool.value(
                "select exists (select from pg_stat_activity where pid = \(pid))",
                as: Bool.self
            )
            #expect(stillThere)
        }
    }

    @Test func `a cancelled transaction is rolled back and its connection goes on`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1) { $0.cancelGrace = .seconds(60) }
            try await pool.run(script: "create table t (id integer)")
            let task = Task {
                try await pool.withTransaction { connection in
                    _ = try await connection.query(sql: "insert into t values (1)")
                    _ = try await connection.query(sql: "select pg_sleep(600)")
                }
            }
            try await database.untilActive("select pg_sleep(600)")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            #expect(pool.leasedCount == 0)
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `a task cancelled before it starts sends nothing`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id integer)")
            let task = Task {
                withUnsafeCurrentTask { $0?.cancel() }
                try await pool.withConnection { _ = try await $0.query(sql: "insert into t values (1)") }
            }
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
        }
    }

    @Test func `a server that does not react to the cancel request costs the connection, not the caller`() async throws
    {
        try await withEmptyDatabase { database in
            let direct = database.pool(size: 1)
            try await withProxy(to: database) { proxy, url in
                let pool = database.pool(size: 1) { configuration in
                    configuration.url = url
                    configuration.cancelGrace = .milliseconds(50)
                }
                try await pool.withConnection { connection in
                    let pid = await connection.backendPID
                    let task = Task { try await connection.query(sql: "select pg_sleep(600)") }
                    try await until(
                        direct,
                        "exists (select from pg_stat_activity where pid = \(pid) and state = 'active')"
                    )
                    proxy.set(.blackhole)
                    task.cancel()
                    let error = try await postgresError { _ = try await task.value }
                    #expect(error.code == .connectionLost)
                    #expect(error.effect == .unknown)
                }
                #expect(pool.idleCount == 0)
            }
        }
    }

    /// The request goes its own way to the server: sent for a statement whose answer is here, it would meet the next.
    @Test func `a task that is cancelled as its statement ends does not stop the next one`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1) { $0.cancelGrace = .seconds(60) }
            try await pool.withConnection { connection in
                for round in 0..<300 {
                    let task = Task { try await connection.query(sql: "select pg_sleep(0.0005)") }
                    let canceller = Task {
                        for _ in 0..<(round % 100) * 20 { await Task.yield() }
                        task.cancel()
                    }
                    _ = await task.result
                    try await connection.query(sql: "select pg_sleep(0.002)")
                    await canceller.value
                }
            }
        }
    }

    @Test func `a pipeline is cancelled as a whole`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1) { $0.cancelGrace = .seconds(60) }
            try await pool.run(script: "create table t (id integer)")
            let insert = statement("test_insert", "none", "insert into t values (1)")
            let sleep = statement("test_sleep", "none", "select pg_sleep(600)")
            let task = Task {
                try await pool.pipeline([PostgresCall(insert), PostgresCall(sleep), PostgresCall(insert)])
            }
            try await database.untilActive("%pg_sleep(600)")
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            #expect(pool.idleCount == 1)
        }
    }
}
