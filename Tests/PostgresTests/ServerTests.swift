import LeaseholdCore
import Postgres
import TestSupport
import Testing

/// What needs a server of its own, because it is stopped, broken or replaced.
@Suite struct ServerTests {
    @Test func `a restart of the server in the middle is an error once and then forgotten`() async throws {
        try await withPrivatePostgres { server in
            try await withPool(server.configuration()) { pool in
                try await pool.run(script: "create table t (id integer)")
                let error = try await postgresError {
                    try await pool.withTransaction { connection in
                        _ = try await connection.query(sql: "insert into t values (1)")
                        try await server.restart(mode: .immediate)
                        _ = try await connection.query(sql: "insert into t values (2)")
                    }
                }
                #expect(error.isConnectionLost)
                #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
            }
        }
    }

    @Test func `every idle connection that a restart killed is replaced silently`() async throws {
        try await withPrivatePostgres { server in
            try await withPool(server.configuration(), size: 4) { pool in
                try await useAll(pool)
                #expect(pool.idleCount == 4)
                try await server.restart(mode: .fast)
                try await useAll(pool)
                #expect(pool.idleCount == 4)
            }
        }
    }

    @Test func `a listener survives a restart`() async throws {
        try await withPrivatePostgres { server in
            try await withPool(server.configuration()) { pool in
                try await pool.withNotifications(on: ["wake"]) { events in
                    var iterator = events.makeAsyncIterator()
                    #expect(await iterator.next() == .listening(isReconnect: false))
                    try await server.restart(mode: .immediate)
                    #expect(await iterator.next() == .listening(isReconnect: true))
                    try await pool.run(script: "notify wake, 'x'")
                    #expect(await iterator.next() == .notification(.init(channel: "wake", payload: "x")))
                }
            }
        }
    }

    @Test func `after a failover the pool finds the new primary by itself`() async throws {
        try await withPrivatePostgres(settings: ["wal_level": "replica", "synchronous_standby_names": "'standby'"]) {
            primary in
            try await withPool(primary.configuration()) { setUp in
                // Without a standby yet, a commit waits for one.
                try await setUp.run(script: "set synchronous_commit = local; create table t (id integer)")
            }
            try await primary.withStandby { standby in
                var configuration = primary.configuration()
                configuration.url =
                    "host=\(primary.folder),\(standby.folder) port=5432,5432 user=postgres dbname=postgres "
                    + "target_session_attrs=read-write"
                try await withPool(configuration) { pool in
                    try await pool.withTransaction { _ = try await $0.query(sql: "insert into t values (1)") }
                    try await primary.stop(mode: .immediate)
                    try await standby.promote()
                    #expect(try await pool.value("select count(*) from t", as: Int.self) == 1)
                    try await pool.withTransaction { _ = try await $0.query(sql: "insert into t values (2)") }
                }
            }
        }
    }

    @Test func `an address that does not answer is given up and the next one tried`() async throws {
        try await withPrivatePostgres { server in
            let proxy = try TCPProxy(to: .unix(path: server.socketPath))
            defer { proxy.close() }
            let silent = try TCPProxy(to: .unix(path: server.socketPath))
            defer { silent.close() }
            silent.set(.blackhole)
            var configuration = server.configuration()
            configuration.connectTimeout = .milliseconds(100)
            configuration.url = "postgresql://postgres@127.0.0.1:\(silent.port)/postgres?sslmode=disable"
            try await withPool(configuration) { pool in
                let error = try await postgresError { try await pool.withConnection { _ in } }
                #expect(error.code == .cannotConnect)
                #expect(error.message.contains("1 address did not answer in time"))
            }
        }
    }

    private func useAll(_ pool: PostgresPool) async throws {
        try await withThrowingTaskGroup(of: Void.self) { group in
            let everybody = Gathering(count: pool.size)
            for _ in 0..<pool.size {
                group.addTask {
                    try await pool.withTransaction { connection in
                        _ = try await connection.query(sql: "select 1")
                        await everybody.arrive()
                    }
                }
            }
            try await group.waitForAll()
        }
    }
}

/// Runs `body` with a pool that is closed afterwards.
func withPool<R>(
    _ configuration: PostgresConfiguration,
    size: Int = 2,
    _ body: (PostgresPool) async throws -> R
) async throws -> R {
    let pool = PostgresPool(configuration: configuration, size: size, logger: CapturedLog().logger())
    do {
        let result = try await body(pool)
        await pool.close()
        return result
    } catch {
        await pool.close()
        throw error
    }
}

/// Nobody goes on before everybody is there.
actor Gathering {
    private let count: Int
    private var waiting: [CheckedContinuation<Void, Never>] = []

    init(count: Int) { self.count = count }

    func arrive() async {
        if waiting.count + 1 == count {
            for continuation in waiting { continuation.resume() }
            waiting = []
        } else {
            await withCheckedContinuation { waiting.append($0) }
        }
    }
}
