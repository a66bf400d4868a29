import Foundation
import Postgres
import Synchronization
import TestSupport
import Testing

@Suite struct CopyTests {
    @Test func `a hundred thousand rows go in and out with bounded memory`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let text = String(repeating: "x", count: 1900)
            try await pool.withConnection { connection in
                try await connection.run(script: "create temporary table t (id bigint, text text)")
                let before = try residentMemory()
                let count = try await connection.copyIn("copy t from stdin (format binary)") { writer in
                    for id in 0..<100_000 { try await writer.write(row: id, text) }
                }
                #expect(count == 100_000)
                var chunks = 0
                var bytes = 0
                let rows = try await connection.copyOut("copy t to stdout") { chunk in
                    chunks += 1
                    bytes += chunk.count
                    #expect(chunk.last == UInt8(ascii: "\n"))
                }
                #expect(rows == 100_000)
                #expect(bytes > 190_000_000)
                #expect(chunks > 1000)
                // 190 MB went each way; other tests of this process need some too.
                #expect(try residentMemory() - before < 120_000_000)
                #expect(
                    try await connection.query(sql: "select sum(id) = 4999950000 from t").only.decode(0, as: Bool.self)
                )
            }
        }
    }

    @Test func `a slow reader makes the server wait`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 2)
            try await pool.withConnection { connection in
                let pid = await connection.backendPID
                var isFirst = true
                _ = try await connection.copyOut(
                    "copy (select repeat('x', 1000) from generate_series(1, 20000)) to stdout"
                ) { _ in
                    guard isFirst else { return }
                    isFirst = false
                    try await until(
                        pool,
                        "exists (select from pg_stat_activity where pid = \(pid) and wait_event = 'ClientWrite')"
                    )
                }
            }
            #expect(pool.idleCount == 2)
        }
    }

    @Test func `a body that throws copies nothing, and the connection goes on`() async throws {
        struct Stop: Error {}
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id bigint)")
            await #expect(throws: Stop.self) {
                try await pool.withConnection { connection in
                    _ = try await connection.copyIn("copy t from stdin (format binary)") { writer in
                        for id in 0..<50_000 { try await writer.write(row: id) }
                        throw Stop()
                    }
                }
            }
            await #expect(throws: Stop.self) {
                try await pool.withConnection { connection in
                    _ = try await connection.copyOut("copy (select generate_series(1, 1000000)) to stdout") { _ in
                        throw Stop()
                    }
                }
            }
            #expect(pool.idleCount == 1)
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
        }
    }

    @Test func `a row that the server refuses is named by its line and column, not by its value`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id integer)")
            let error = try await postgresError {
                try await pool.withConnection { connection in
                    _ = try await connection.copyIn("copy t from stdin") { writer in
                        try await writer.write(row: "1")
                        try await writer.write(row: "canary")
                    }
                }
            }
            #expect(error.sqlState == "22P02")
            #expect(error.context == ["COPY t, line 2, column id"])
            #expect(!error.debugDescription.contains("canary"))
            #expect(pool.idleCount == 1)
        }
    }

    @Test func `raw bytes go through as they are`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (a text, b integer)")
            try await pool.withConnection { connection in
                let count = try await connection.copyIn("copy t from stdin (format csv)") { writer in
                    try await writer.write(bytes: "one,1\n\"t,wo\",2\n".utf8)
                }
                #expect(count == 2)
                let out = Mutex<[UInt8]>([])
                _ = try await connection.copyOut("copy t to stdout (format csv)") { chunk in
                    out.withLock { $0 += chunk }
                }
                #expect(String(decoding: out.withLock { $0 }, as: UTF8.self) == "one,1\n\"t,wo\",2\n")
            }
        }
    }

    @Test func `a statement inside the body of a copy is refused, and so is a writer outside of its own`() async throws
    {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id bigint)")
            try await pool.withConnection { connection in
                var escaped: PostgresCopyWriter?
                _ = try await connection.copyIn("copy t from stdin (format binary)") { writer in
                    escaped = writer
                    let error = try await postgresError { _ = try await connection.query(sql: "select 1") }
                    #expect(error.code == .connectionBusy)
                    try await writer.write(row: 1)
                }
                let late = try await postgresError {
                    try await escaped?.write(row: 2)
                    try await escaped?.flush()
                }
                #expect(late.code == .misuse)
            }
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 1)
        }
    }

    @Test func `cancelling stops both directions`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: "create table t (id bigint)")
            let writing = Task {
                try await pool.withConnection { connection in
                    _ = try await connection.copyIn("copy t from stdin (format binary)") { writer in
                        while true { try await writer.write(row: 1) }
                    }
                }
            }
            try await database.untilActive("copy t from stdin%")
            writing.cancel()
            await #expect(throws: CancellationError.self) { try await writing.value }
            let reading = Task {
                try await pool.withConnection { connection in
                    _ = try await connection.copyOut("copy (select generate_series(1, 1e9)) to stdout") { _ in }
                }
            }
            try await database.untilActive("copy (select%")
            reading.cancel()
            await #expect(throws: CancellationError.self) { try await reading.value }
            #expect(pool.idleCount == 1)
            #expect(try await pool.value("select count(*) from t", as: Int.self) == 0)
        }
    }
}

/// Bytes of this process that are in memory now.
private func residentMemory() throws -> Int {
    let fields = try String(contentsOfFile: "/proc/self/statm", encoding: .utf8).split(separator: " ")
    return (Int(fields[1]) ?? 0) * Int(getpagesize())
}
