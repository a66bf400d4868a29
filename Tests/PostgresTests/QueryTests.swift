import Foundation
import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

@Suite struct QueryTests {
    @Test func `a statement of a file gets its parameters and gives rows`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let file = SQLFile(
                name: "test_add",
                text: """
                    -- test_add: adds
                    -- params: $1 integer a, $2 bigint b, $3 text name
                    select $1 + $2 as sum, $3 as name
                    """
            )
            let rows = try await pool.query(file, 1, 2, "three")
            let decoded = try rows.decode((Int64, String).self)
            #expect(decoded.map { $0.0 } == [3])
            let (sum, name) = try rows.only.decode((Int64, String).self)
            #expect(sum == 3 && name == "three")
            #expect(try rows.only.decode("name", as: String.self) == "three")
        }
    }

    @Test func `a transaction that throws leaves nothing behind`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            struct Stop: Error {}
            await #expect(throws: Stop.self) {
                try await pool.withTransaction { connection in
                    try await connection.run(script: "create table t (id integer); insert into t values (1)")
                    throw Stop()
                }
            }
            let rows = try await pool.withConnection { try await $0.query(sql: "select to_regclass('t') is null") }
            #expect(try rows.only.decode(0, as: Bool.self))
        }
    }

    @Test func `a pipeline answers every call in one round trip`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let file = SQLFile(name: "test_echo", text: "-- params: $1 bigint number\nselect $1 as number")
            let answers = try await pool.pipeline((1...5).map { PostgresCall(file, $0) })
            #expect(try answers.map { try $0.only.decode("number", as: Int.self) } == [1, 2, 3, 4, 5])
        }
    }

    @Test func `a copy writes what a query reads`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            try await pool.withConnection { connection in
                try await connection.run(script: "create table t (id bigint, name text, data jsonb)")
                for format in ["binary", "text"] {
                    let count = try await connection.copyIn("copy t from stdin (format \(format))") { writer in
                        for id in 0..<1000 {
                            try await writer.write(row: id, id % 2 == 0 ? "name\t\(id)" : nil, PostgresJSON("{}"))
                        }
                    }
                    #expect(count == 1000)
                }
                var bytes = 0
                let rows = try await connection.copyOut("copy t to stdout") { bytes += $0.count }
                #expect(rows == 2000)
                #expect(bytes > 10000)
            }
        }
    }
}
