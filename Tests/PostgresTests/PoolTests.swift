import Postgres
import ServiceLifecycle
import TestSupport
import Testing

@Suite struct PoolTests {
    @Test func `a pool in full use ends the wait with the numbers and what to do`() async throws {
        try await withEmptyDatabase { database in
            let clock = TestClock()
            let pool = database.pool(size: 1, waitLimit: .seconds(30), clock: clock)
            try await pool.withConnection { _ in
                let second = Task { try await pool.withConnection { _ in } }
                await clock.sleepers(1)
                #expect(pool.waiterCount == 1)
                clock.advance(by: .seconds(30))
                let error = try await postgresError { try await second.value }
                #expect(error.code == .poolExhausted)
                #expect(error.message.contains("within 30.0 seconds"))
                #expect(error.message.contains("all 1 are in use"))
                #expect(error.hint != nil)
                #expect(pool.waiterCount == 0)
            }
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `waiters are served in the order they came`() async throws {
        try await withEmptyDatabase { database in
            let clock = TestClock()
            let pool = database.pool(size: 1, clock: clock)
            let order = Recorder<Int>()
            let waiters = try await pool.withConnection { _ in
                var waiters: [Task<Void, any Error>] = []
                for number in 1...5 {
                    waiters.append(
                        Task { try await pool.withConnection { _ in order.append(number) } }
                    )
                    await clock.sleepers(number)
                }
                return waiters
            }
            for waiter in waiters { try await waiter.value }
            #expect(order.values == [1, 2, 3, 4, 5])
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `a cancelled waiter leaves the line`() async throws {
        try await withEmptyDatabase { database in
            let clock = TestClock()
            let pool = database.pool(size: 1, clock: clock)
            try await pool.withConnection { _ in
                let waiter = Task { try await pool.withConnection { _ in } }
                await clock.sleepers(1)
                waiter.cancel()
                await #expect(throws: CancellationError.self) { try await waiter.value }
                #expect(pool.waiterCount == 0)
            }
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `a connection in a transaction, in a copy or dead never goes back`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.withConnection { _ = try await $0.query(sql: "begin") }
            #expect(pool.idleCount == 0)
            #expect(database.log.text.contains("in the middle of something"))
            try await pool.withConnection { connection in
                _ = try await connection.query(sql: "begin")
                _ = try? await connection.query(sql: "select 1 / 0")
            }
            #expect(pool.idleCount == 0)
            let error = try await postgresError {
                try await pool.withConnection { connection in
                    _ = try await connection.query(sql: "select pg_terminate_backend(pg_backend_pid())")
                }
            }
            #expect(error.code == .connectionLost)
            #expect(error.sqlState == "57P01")
            #expect(error.effect == .unknown)
            #expect(pool.idleCount == 0)
            #expect(try await pool.value("select 1", as: Int.self) == 1)
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `a connection killed while idle is replaced without an error`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let killer = database.pool(size: 1)
            for _ in 0..<10 {
                let pid = try await pool.withConnection { await $0.backendPID }
                try await killer.run(script: "select pg_terminate_backend(\(pid), 10000)")
                #expect(try await pool.value("select pg_backend_pid()", as: Int32.self) != pid)
            }
        }
    }

    @Test func `connections that are old or long idle are closed by the service`() async throws {
        try await withEmptyDatabase { database in
            let clock = TestClock()
            let pool = database.pool(size: 2, clock: clock)
            let pid = try await pool.withConnection { await $0.backendPID }
            let service = Task { try await pool.run() }
            for _ in 0..<20 {
                await clock.sleepers(1)
                #expect(pool.idleCount == 1)
                clock.advance(by: .seconds(30))
            }
            await clock.sleepers(1)
            #expect(pool.idleCount == 0)
            service.cancel()
            try await service.value
            let watcher = database.pool(size: 1)
            try await until(watcher, "not exists (select from pg_stat_activity where pid = \(pid))")
        }
    }

    @Test func `closing waits for the leases, refuses newcomers and sends waiters home`() async throws {
        try await withEmptyDatabase { database in
            let clock = TestClock()
            let pool = database.pool(size: 1, clock: clock)
            let closing = try await pool.withConnection { connection in
                let waiter = Task { try await pool.withConnection { _ in } }
                await clock.sleepers(1)
                let closing = Task { await pool.close() }
                let sentHome = try await postgresError { try await waiter.value }
                #expect(sentHome.code == .poolClosed)
                let refused = try await postgresError { try await pool.withConnection { _ in } }
                #expect(refused.code == .poolClosed)
                #expect(try await connection.query(sql: "select 1").count == 1)
                return closing
            }
            await closing.value
            #expect(pool.leasedCount == 0)
            #expect(pool.idleCount == 0)
        }
    }

    @Test func `closing cuts off what does not come back in time`() async throws {
        try await withEmptyDatabase { database in
            let clock = TestClock()
            let pool = database.pool(size: 1, clock: clock)
            let stuck = Task { try await pool.withConnection { _ = try await $0.query(sql: "select pg_sleep(600)") } }
            try await database.untilActive("select pg_sleep(600)")
            let closing = Task { await pool.close() }
            await clock.sleepers(1)
            clock.advance(by: .seconds(10))
            await closing.value
            let error = try await postgresError { try await stuck.value }
            #expect(error.code == .connectionLost)
        }
    }

    @Test func `the service ends with the graceful shutdown of its group`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            _ = try await pool.value("select 1", as: Int.self)
            let group = ServiceGroup(
                configuration: .init(services: [.init(service: pool)], logger: database.log.logger())
            )
            let running = Task { try await group.run() }
            await group.triggerGracefulShutdown()
            try await running.value
            let error = try await postgresError { try await pool.withConnection { _ in } }
            #expect(error.code == .poolClosed)
        }
    }

    @Test func `attempts to connect to a server that is down are spaced out`() async throws {
        let clock = TestClock()
        let pool = PostgresPool(
            configuration: .init(url: "postgresql://nobody@127.0.0.1:1/x"),
            size: 1,
            logger: CapturedLog().logger(),
            clock: clock
        )
        // The first failure is reported at once.
        #expect(try await postgresError { try await pool.withConnection { _ in } }.code == .cannotConnect)
        let second = Task { try await pool.withConnection { _ in } }
        await clock.sleepers(1)
        clock.advance(by: .milliseconds(100))
        #expect(try await postgresError { try await second.value }.code == .cannotConnect)
        // A cancelled attempt ends at once.
        let third = Task { try await pool.withConnection { _ in } }
        await clock.sleepers(1)
        third.cancel()
        await #expect(throws: CancellationError.self) { try await third.value }
        #expect(pool.leasedCount == 0)
        await pool.close()
    }
}
