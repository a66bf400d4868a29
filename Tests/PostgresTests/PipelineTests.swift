import Postgres
import SQLFiles
import TestSupport
import Testing

@Suite struct PipelineTests {
    private let insert = statement("test_insert", "$1 integer id", "insert into t values ($1) returning id")
    private let select = statement("test_count", "none", "select count(*) as n from t")

    @Test func `an error in the middle names its statement and undoes the whole pipeline`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id integer primary key)")
            let error = try await postgresError {
                _ = try await pool.pipeline([
                    PostgresCall(insert, 1), PostgresCall(insert, 1), PostgresCall(insert, 2), PostgresCall(select),
                ])
            }
            #expect(error.isServer(.uniqueViolation))
            #expect(error.statement == "test_insert")
            #expect(error.message.contains("test_insert (2 of a pipeline of 4)"))
            #expect(error.constraint == "t_pkey")
            #expect(try await pool.query(select).only.decode("n", as: Int.self) == 0)
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `inside a transaction an error leaves the transaction to be rolled back`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id integer primary key)")
            _ = try await postgresError {
                try await pool.withTransaction { connection in
                    _ = try await connection.query(insert, 7)
                    _ = try await connection.pipeline([PostgresCall(insert, 8), PostgresCall(insert, 8)])
                }
            }
            #expect(try await pool.query(select).only.decode("n", as: Int.self) == 0)
        }
    }

    @Test func `a statement that cannot be prepared fails the pipeline and nothing is remembered of it`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let error = try await postgresError {
                _ = try await pool.pipeline([PostgresCall(select), PostgresCall(insert, 1)])
            }
            #expect(error.isServer(.undefinedTable))
            #expect(error.message.contains("test_count (1 of a pipeline of 2)"))
            try await pool.run(script: "create table t (id integer primary key)")
            let answers = try await pool.pipeline([PostgresCall(insert, 1), PostgresCall(select)])
            #expect(try answers[1].only.decode("n", as: Int.self) == 1)
        }
    }

    @Test func `a pipeline whose statements the server forgot is prepared again`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id integer primary key)")
            _ = try await pool.pipeline([PostgresCall(insert, 1), PostgresCall(select)])
            try await pool.withConnection { _ = try await $0.query(sql: "discard all") }
            let answers = try await pool.pipeline([PostgresCall(insert, 2), PostgresCall(select)])
            #expect(try answers[1].only.decode("n", as: Int.self) == 2)
        }
    }

    @Test func `a pipeline larger than every socket buffer does not stop itself`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let file = statement("test_big", "$1 text text", "select $1 as text")
            let text = String(repeating: "x", count: 500_000)
            let answers = try await pool.pipeline((0..<20).map { _ in PostgresCall(file, text) })
            for answer in answers {
                #expect(try answer.only.decode("text", as: String.self).utf8.count == 500_000)
            }
        }
    }

    @Test func `an empty pipeline does nothing`() async throws {
        try await withEmptyDatabase { database in
            let answers = try await database.pool().pipeline([])
            #expect(answers.isEmpty)
        }
    }
}
