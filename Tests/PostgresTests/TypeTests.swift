import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

/// Every type both ways, held against PostgreSQL's own reading and writing of the same value.
@Suite struct TypeTests {
    @Test func `integers`() async throws {
        try await withConnection { connection in
            try await check(
                connection,
                [
                    (Int16.min, "-32768"), (0, "0"), (Int16.max, "32767"),
                ],
                sqlType: "smallint"
            )
            try await check(
                connection,
                [(Int32.min, "-2147483648"), (-1, "-1"), (Int32.max, "2147483647")],
                sqlType: "integer"
            )
            try await check(
                connection,
                [(Int64.min, "-9223372036854775808"), (Int64.max, "9223372036854775807")],
                sqlType: "bigint"
            )
            try await check(
                connection,
                random { Int(truncatingIfNeeded: $0.next()) }.map { ($0, String($0)) },
                sqlType: "bigint"
            )
        }
    }

    @Test func `floating point numbers, bit by bit`() async throws {
        let numbers = random { Double(bitPattern: $0.next()) }.filter { $0.isFinite }
        try await withConnection { connection in
            try await check(
                connection,
                [
                    (0.1, "0.1"), (-0.0, "-0"), (Double.infinity, "Infinity"), (-Double.infinity, "-Infinity"),
                    (Double.leastNonzeroMagnitude, "5e-324"),
                    (Double.greatestFiniteMagnitude, "1.7976931348623157e+308"),
                ],
                sqlType: "double precision"
            )
            try await check(
                connection,
                numbers.map { ($0, $0.description) },
                sqlType: "double precision",
                comparesText: false
            )
            try await check(
                connection,
                [(Float(1.5), "1.5"), (Float.pi, "3.1415925")],
                sqlType: "real",
                comparesText: false
            )
        }
    }

    @Test func `what is not a number, and a smaller floating point type`() async throws {
        try await withConnection { connection in
            let row = try await connection.query(sql: "select 'NaN'::float8, 1.5::float4").only
            let notANumber = try row.decode(0, as: Double.self)
            #expect(notANumber.isNaN)
            #expect(try row.decode(1, as: Double.self) == 1.5)
        }
    }

    @Test func `booleans, texts, bytes and UUIDs`() async throws {
        try await withConnection { connection in
            try await check(connection, [(true, "true"), (false, "false")], sqlType: "boolean")
            try await check(
                connection,
                ["", "a", "häß 🙂", #"quotes ' " and \ and %"#, "line\nbreak\ttab"].map { ($0, $0) },
                sqlType: "text"
            )
            try await check(connection, [([UInt8](), #"\x"#), ([0, 255, 10], #"\x00ff0a"#)], sqlType: "bytea")
            let uuid = UUID()
            try await check(connection, [(uuid, uuid.uuidString.lowercased())], sqlType: "uuid")
            try await check(connection, [(PostgresJSON(#"{"a": [1, null]}"#), #"{"a": [1, null]}"#)], sqlType: "jsonb")
            let json = try await connection.query(sql: #"select '{"b":  1}'::json"#).only
            #expect(try json.decode(0, as: PostgresJSON.self).text == #"{"b":  1}"#)
        }
    }

    @Test func `times to the microsecond`() async throws {
        try await withConnection { connection in
            let dates: [(Date, String)] = [
                (Date(timeIntervalSince1970: 0), "1970-01-01 00:00:00+00"),
                (Date(timeIntervalSince1970: 1_767_225_599.999_999), "2025-12-31 23:59:59.999999+00"),
                (Date(timeIntervalSince1970: 0.000_001), "1970-01-01 00:00:00.000001+00"),
                (Date(timeIntervalSince1970: -62_135_596_800), "0001-01-01 00:00:00+00"),
                (Date(timeIntervalSince1970: -62_135_596_801), "0001-12-31 23:59:59+00 BC"),
                (Date(timeIntervalSince1970: 951_782_400), "2000-02-29 00:00:00+00"),
            ]
            try await check(connection, dates, sqlType: "timestamptz")
            // Every microsecond between 1867 and 2135 comes back as itself.
            let microseconds = random { Int64($0.next() % 8_500_000_000_000_000) - 4_250_000_000_000_000 }
            let sql = "select $1 as d, (extract(epoch from $1 - '2001-01-01 00:00Z') * 1000000)::bigint as n"
            for number in microseconds {
                let date = Date(timeIntervalSinceReferenceDate: Double(number) / 1e6)
                let row = try await connection.query(sql: sql, date).only
                #expect(try row.decode("n", as: Int64.self) == number)
                let back = try row.decode("d", as: Date.self)
                #expect((back.timeIntervalSinceReferenceDate * 1e6).rounded() == Double(number))
            }
        }
    }

    @Test func `decimal numbers exactly`() async throws {
        try await withConnection { connection in
            let texts = [
                "0", "1", "-1", "10000", "0.0001", "-0.5", "123456789.000000001",
                "99999999999999999999999999999999999999",
                "0.00000000000000000000000000000000000001", "1000000000000000000000000000000", "12345.6789", "100.10",
            ]
            try await check(
                connection,
                texts.map { (Decimal(string: $0) ?? .nan, $0) },
                sqlType: "numeric",
                comparesText: false
            )
            let numbers = random { source -> Decimal in
                let digits = Decimal(source.next()) * Decimal(source.next() % 1_000_000_000)
                return Decimal(
                    sign: source.next() % 2 == 0 ? .plus : .minus,
                    exponent: -Int(source.next() % 30),
                    significand: digits
                )
            }
            try await check(connection, numbers.map { ($0, $0.description) }, sqlType: "numeric", comparesText: false)
        }
    }

    @Test(arguments: [
        ("'NaN'::numeric", "Decimal", "NaN"),
        ("'Infinity'::numeric", "Decimal", "an infinite number"),
        ("1e40 + 1::numeric", "Decimal", "a number of more digits than Decimal holds"),
        ("'infinity'::timestamptz", "Date", "an infinite time"),
        ("'-infinity'::timestamptz", "Date", "an infinite time"),
        ("null::bigint", "Int", "NULL"),
        ("1::bigint", "Int32", "bigint"),
        ("'12345'::text", "Int", "text"),
        ("12345", "String", "integer"),
        ("array[[1, 2], [3, 4]]", "Array<Int>", "an array of 2 dimensions"),
        ("array[1, null]", "Array<Int>", "NULL"),
        ("'1 day'::interval", "String", "interval"),
        ("'(1,2)'::point", "String", "type 600"),
    ])
    func `what has no Swift form says what came, and never the value`(
        sql: String,
        type: String,
        got: String
    ) async throws {
        try await withEmptyDatabase { database in
            let error = try await postgresError {
                let row = try await database.pool().withConnection { connection in
                    try await connection.query(sql: "select \(sql) as c").only
                }
                switch type {
                case "Decimal": _ = try row.decode("c", as: Decimal.self)
                case "Date": _ = try row.decode("c", as: Date.self)
                case "Int": _ = try row.decode("c", as: Int.self)
                case "Int32": _ = try row.decode("c", as: Int32.self)
                case "String": _ = try row.decode("c", as: String.self)
                default: _ = try row.decode("c", as: [Int].self)
                }
            }
            #expect(error.message == "expected column \"c\" of select statement to be \(type), got \(got)")
        }
    }

    @Test func `arrays, also empty ones and with NULL elements`() async throws {
        try await withConnection { connection in
            try await check(connection, [([1, 2, 3], "{1,2,3}"), ([], "{}")], sqlType: "bigint[]")
            try await check(connection, [([1, nil, 3] as [Int32?], "{1,NULL,3}")], sqlType: "integer[]")
            try await check(connection, [(["a", "", "b,c", #"d"e\"#], #"{a,"","b,c","d\"e\\"}"#)], sqlType: "text[]")
            try await check(connection, [(["NULL", nil] as [String?], #"{"NULL",NULL}"#)], sqlType: "text[]")
            try await check(connection, [([true, false], "{t,f}")], sqlType: "boolean[]")
            try await check(connection, [([[1, 2], []] as [[UInt8]], #"{"\\x0102","\\x"}"#)], sqlType: "bytea[]")
            try await check(connection, [([0.5, -1] as [Double], "{0.5,-1}")], sqlType: "double precision[]")
            try await check(connection, [([Decimal(string: "1.25")!], "{1.25}")], sqlType: "numeric[]")
            let uuid = UUID()
            try await check(
                connection,
                [([uuid, nil] as [UUID?], "{\(uuid.uuidString.lowercased()),NULL}")],
                sqlType: "uuid[]"
            )
            try await check(
                connection,
                [([Date(timeIntervalSince1970: 0)], #"{"1970-01-01 00:00:00+00"}"#)],
                sqlType: "timestamptz[]"
            )
            try await check(
                connection,
                [([PostgresJSON("1"), PostgresJSON("null")], #"{1,"null"}"#)],
                sqlType: "jsonb[]"
            )
        }
    }

    @Test func `enums and domains read as text`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(
                script:
                    "create type mood as enum ('glad', 'sad'); create domain short as text check (length(value) < 5)"
            )
            #expect(try await pool.value("select 'glad'::mood", as: String.self) == "glad")
            #expect(try await pool.value("select array['sad'::mood]", as: [String].self) == ["sad"])
            #expect(try await pool.value("select 'abc'::short", as: String.self) == "abc")
            let error = try await postgresError {
                _ = try await pool.value("select row(1, 'sad'::mood)", as: String.self)
            }
            #expect(error.code == .decoding)
        }
    }

    @Test func `rows by position, by name and all at once`() async throws {
        try await withEmptyDatabase { database in
            let rows = try await database.pool().withConnection { connection in
                try await connection.query(
                    sql: "select n, 'x' || n as t, null::bigint as e from generate_series(1, 3) n"
                )
            }
            #expect(rows.count == 3)
            #expect(rows.columns == ["n", "t", "e"])
            #expect(rows.affectedRows == 3)
            let all = try rows.decode((Int, String, Int?).self)
            #expect(all.map { $0.1 } == ["x1", "x2", "x3"])
            let (first, text): (Int, String) = try rows[0].decode()
            #expect(first == 1 && text == "x1")
            let missing = try await postgresError { _ = try rows[0].decode("m", as: Int.self) }
            #expect(missing.message.contains("only n, t, e"))
            let notOne = try await postgresError { _ = try rows.only }
            #expect(notOne.message == "expected one row from select statement, got 3")
            let tooFew = try await postgresError { _ = try rows[0].decode((Int, String, Int?, Int).self) }
            #expect(tooFew.code == .decoding)
        }
    }

    /// Sends each value, and lets the server write it as text and read it from text.
    private func check<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ connection: PostgresConnection,
        _ values: [(Value, String)],
        sqlType: String,
        comparesText: Bool = true,
        at location: SourceLocation = #_sourceLocation
    ) async throws {
        try await connection.run(script: "drop table if exists t; create table t (v \(sqlType))")
        let sql = "select $1::\(sqlType) as sent, ($1::\(sqlType))::text as written, ($2::text)::\(sqlType) as read"
        for (value, text) in values {
            let row = try await connection.query(sql: sql, value, text).only
            #expect(try row.decode("sent", as: Value.self) == value, sourceLocation: location)
            #expect(try row.decode("read", as: Value.self) == value, sourceLocation: location)
            if comparesText {
                #expect(try row.decode("written", as: String.self) == text, sourceLocation: location)
            }
        }
        try await checkCopy(values.map(\.0), connection, at: location)
    }

    private func withConnection(_ body: (PostgresConnection) async throws -> Void) async throws {
        try await withEmptyDatabase { database in
            try await database.pool(size: 1).withConnection { connection in
                try await connection.run(script: "set timezone = 'UTC'; set bytea_output = 'hex'")
                try await body(connection)
            }
        }
    }

    /// The same values through both formats of COPY.
    private func checkCopy<Value: PostgresEncodable & PostgresDecodable & Equatable>(
        _ values: [Value],
        _ connection: PostgresConnection,
        at location: SourceLocation
    ) async throws {
        for format in ["text", "binary"] {
            try await connection.run(script: "truncate t")
            _ = try await connection.copyIn("copy t from stdin (format \(format))") { writer in
                for value in values { try await writer.write(row: value) }
            }
            let rows = try await connection.query(sql: "select v from t")
            let read = try rows.map { row in try row.decode(0, as: Value.self) }
            #expect(read == values, sourceLocation: location)
        }
    }

    /// Many values from a fixed seed.
    private func random<Value>(_ make: (RandomSource) -> Value) -> [Value] {
        let source = RandomSource(seed: 42)
        return (0..<100).map { _ in make(source) }
    }
}
