import Foundation
import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

/// Statements of files: their header, and how they are prepared.
@Suite struct StatementTests {
    @Test func `the header declares number, type and name of every parameter`() {
        let text = """
            -- job_settle: ends a run
            -- params: $1 bigint job_id, $2 timestamp with time zone at,
            --         $3 text[] names
            select 1
            """
        let declared = StatementParameters(text: text).declared
        #expect(declared?.map(\.name) == ["job_id", "at", "names"])
        #expect(declared?.map(\.sqlType) == ["bigint", "timestamp with time zone", "text[]"])
        #expect(declared?.map(\.type.description) == ["bigint", "timestamptz", "text[]"])
        #expect(StatementParameters(text: "-- params: none\nselect 1").declared == [])
        #expect(StatementParameters(text: "select 1").declared == nil)
    }

    @Test func `a value is sent as the type that the header declares`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let file = statement(
                "test_types",
                "$1 smallint a, $2 integer b, $3 numeric c, $4 double precision d, $5 interval e, $6 jsonb f, $7 uuid g",
                """
                select $1 + 1 as a, $2 + 1 as b, $3 + 1 as c, $4 + 1 as d, extract(epoch from $5)::bigint as e,
                    $6 ->> 'k' as f, $7 as g
                """
            )
            let uuid = "6f1d8f0e-0000-4000-8000-00000000abcd"
            let row = try await pool.query(file, 1, 2, 3, 4, "1 hour", #"{"k": "v"}"#, uuid).only
            #expect(try row.decode("a", as: Int.self) == 2)
            #expect(try row.decode("b", as: Int32.self) == 3)
            #expect(try row.decode("c", as: Decimal.self) == 4)
            #expect(try row.decode("d", as: Double.self) == 5)
            #expect(try row.decode("e", as: Int.self) == 3600)
            #expect(try row.decode("f", as: String.self) == "v")
            #expect(try row.decode("g", as: UUID.self).uuidString.lowercased() == uuid)
        }
    }

    @Test func `a value that does not fit its parameter is refused with both names and without the value`() async throws
    {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let file = statement("test_small", "$1 smallint size", "select $1")
            let tooBig = try await postgresError { try await pool.query(file, 123_456_789) }
            #expect(tooBig.code == .parameters)
            #expect(tooBig.message.contains("size ($1) of test_small to be smallint, got a Int"))
            #expect(!tooBig.debugDescription.contains("123456789"))
            let wrongType = try await postgresError { try await pool.query(file, true) }
            #expect(wrongType.message.contains("got a Bool"))
            let tooMany = try await postgresError { try await pool.query(file, 1, 2) }
            #expect(tooMany.message == "expected 1 parameters for test_small, got 2")
            #expect(pool.leasedCount == 0)
        }
    }

    @Test func `a text with a NUL is refused where it would be cut off`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let file = statement("test_interval", "$1 interval length", "select $1::text")
            let error = try await postgresError { try await pool.query(file, "1 hour\0and more") }
            #expect(error.code == .parameters)
        }
    }

    @Test func `NULL fits every parameter`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let file = statement(
                "test_null",
                "$1 integer a, $2 text b, $3 text[] c",
                "select $1 as a, $2 as b, $3 as c"
            )
            let row = try await pool.query(file, nil, nil, nil).only
            #expect(try row.decode("a", as: Int?.self) == nil)
            #expect(try row.decode("b", as: String?.self) == nil)
            #expect(try row.decode("c", as: [String]?.self) == nil)
            let number: Int? = nil
            _ = try await pool.query(file, number, "x", ["y"])
        }
    }

    @Test func `a statement is prepared once in a session`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let file = statement("test_once", "$1 bigint n", "select $1 as n")
            for number in 1...3 { _ = try await pool.query(file, number) }
            let names = try await pool.value("select array_agg(name) from pg_prepared_statements", as: [String].self)
            #expect(names == ["test_once"])
        }
    }

    @Test func `a statement that DISCARD ALL took away is prepared again`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let file = statement("test_again", "$1 bigint n", "select $1 as n")
            _ = try await pool.query(file, 1)
            try await pool.withConnection { _ = try await $0.query(sql: "discard all") }
            #expect(try await pool.query(file, 2).only.decode("n", as: Int.self) == 2)
        }
    }

    @Test func `a statement whose result type changed is prepared again, but not inside a transaction`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let file = statement("test_star", "none", "select * from t")
            try await pool.run(script: "create table t (a integer)")
            _ = try await pool.query(file)
            try await pool.run(script: "alter table t add b integer")
            #expect(try await pool.query(file).columns == ["a", "b"])
            try await pool.run(script: "alter table t add c integer")
            let error = try await postgresError {
                try await pool.withTransaction { connection in _ = try await connection.query(file) }
            }
            #expect(error.sqlState == "0A000")
            #expect(try await pool.query(file).columns == ["a", "b", "c"])
        }
    }

    @Test func `a failed prepare is tried again`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let file = statement("test_late", "none", "select a from late_table")
            let error = try await postgresError { try await pool.query(file) }
            #expect(error.isServer(.undefinedTable))
            #expect(error.hint == "leasehold migrate")
            try await pool.run(script: "create table late_table (a integer)")
            #expect(try await pool.query(file).isEmpty)
        }
    }

    @Test func `two texts under one name never answer for each other`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            for number in 1...2 {
                let file = statement("test_name", "none", "select \(number) as n")
                let alone = try await pool.query(file)
                let inPipeline = try await pool.pipeline([PostgresCall(file)])
                #expect(try alone.only.decode("n", as: Int.self) == number)
                #expect(try inPipeline[0].only.decode("n", as: Int.self) == number)
            }
        }
    }
}
