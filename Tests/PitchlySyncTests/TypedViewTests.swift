import Foundation
import Postgres
import TestSupport
import Testing

@Suite("A typed view")
struct TypedViewTests {
    @Test("has a column of the stated type for every field type of both generations")
    func types() async throws {
        let stated = [
            "text": "text", "multilineText": "text", "string": "text", "dropdown": "text", "enum": "text",
            "attachment": "text", "reference": "text", "number": "numeric", "currency": "numeric", "boolean": "boolean",
            "Yes/No": "boolean", "date": "date", "createdAt": "timestamp with time zone",
            "updatedAt": "timestamp with time zone", "UPDATED_AT": "timestamp with time zone",
            "dropdownMultiple": "text[]", "enumMultiple": "text[]", "referenceMultiple": "text[]", "lookup": "jsonb",
            "formula": "jsonb", "rollup": "jsonb", "hologram": "jsonb", "": "jsonb",
        ]
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            let types = stated.keys.sorted()
            try await world.setFields("acme", types.map { .init(id: "f\($0)", name: "c \($0)", type: $0) })
            #expect(try await world.refresh("acme") == ["Clients": "created"])
            let columns = try await world.columns("mirror_acme", "Clients")
            #expect(columns == types.map { ["c \($0)", stated[$0] ?? ""] })
        }
    }

    struct Sample: Sendable, CustomTestStringConvertible {
        let type: String
        let cell: String
        /// As JSON; `null` for a cell that does not fit.
        let value: String
        var testDescription: String { "\(type) \(cell)" }

        init(_ type: String, _ cell: String, _ value: String) {
            self.type = type
            self.cell = cell
            self.value = value
        }
    }

    private static let samples: [Sample] = [
        .init("text", #"{"val": "Zoë \"Z\" 👩‍👩‍👧\n"}"#, #""Zoë \"Z\" 👩‍👩‍👧\n""#), .init("text", #"{"val": 2300}"#, #""2300""#),
        .init("text", #"{"val": ["a"]}"#, "null"), .init("text", #"{"val": null}"#, "null"),
        .init("text", "null", "null"),
        .init("text", #""bare""#, "null"), .init("number", #"{"val": -1.25}"#, "-1.25"),
        .init("number", #"{"val": 9007199254740993}"#, "9007199254740993"),
        .init("number", #"{"val": "12.50"}"#, "12.50"),
        .init("number", #"{"val": "2,300"}"#, "null"), .init("number", #"{"val": "1e9"}"#, "null"),
        .init("number", #"{"val": true}"#, "null"), .init("currency", #"{"val": 23045, "currency": "USD"}"#, "23045"),
        .init("boolean", #"{"val": true}"#, "true"), .init("boolean", #"{"val": false}"#, "false"),
        .init("boolean", #"{"val": "Yes"}"#, "null"), .init("date", #"{"val": "2024-02-29"}"#, #""2024-02-29""#),
        .init("date", #"{"val": "02/29/2024"}"#, #""2024-02-29""#), .init("date", #"{"val": "2023-02-29"}"#, "null"),
        .init("date", #"{"val": "1900-02-29"}"#, "null"), .init("date", #"{"val": "2000-02-29"}"#, #""2000-02-29""#),
        .init("date", #"{"val": "2024-04-31"}"#, "null"), .init("date", #"{"val": "2024-13-01"}"#, "null"),
        .init("date", #"{"val": "0000-01-01"}"#, "null"), .init("date", #"{"val": "29/02/2024"}"#, "null"),
        .init("date", #"{"val": "tomorrow"}"#, "null"), .init("date", #"{"val": 20240229}"#, "null"),
        .init("updatedAt", #"{"val": "2024-05-06T07:08:09.123Z"}"#, #""2024-05-06T07:08:09.123+00:00""#),
        .init("updatedAt", #"{"val": "2024-05-06T07:08:09+02:00"}"#, #""2024-05-06T05:08:09+00:00""#),
        .init("updatedAt", #"{"val": "2024-05-06T24:08:09Z"}"#, "null"),
        .init("updatedAt", #"{"val": "2024-05-06T07:08:09+16:00"}"#, "null"),
        .init("updatedAt", #"{"val": "2024-02-30T07:08:09Z"}"#, "null"), .init("updatedAt", #"{"val": "now"}"#, "null"),
        .init("updatedAt", #"{"val": "2024-05-06"}"#, "null"), .init("updatedAt", #"{"val": 1714979289}"#, "null"),
        .init("dropdownMultiple", #"{"val": ["Lincoln", "Omaha", 3, null]}"#, #"["Lincoln", "Omaha", "3", null]"#),
        .init("dropdownMultiple", #"{"val": []}"#, "[]"), .init("dropdownMultiple", #"{"val": "one"}"#, #"["one"]"#),
        .init("dropdownMultiple", #"{"val": [["nested"]]}"#, "null"),
        .init("referenceMultiple", #"{"val": {}}"#, "null"),
        .init("formula", #"{"val": 12.5}"#, "12.5"), .init("lookup", #"{"val": ["a", "b"]}"#, #"["a", "b"]"#),
        .init("hologram", #"{"x": [1]}"#, #"{"x": [1]}"#), .init("rollup", #"{"val": null}"#, "null"),
    ]

    @Test("shows what fits the type, and null beside the raw cell for what does not")
    func values() async throws {
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            try await world.setFields(
                "acme",
                Self.samples.enumerated().map {
                    .init(id: "f\($0.offset)", name: "c\($0.offset)", type: $0.element.type)
                }
            )
            let cells = Self.samples.enumerated().map { "\"f\($0.offset)\": \($0.element.cell)" }
            try await world.put("acme", record: "rec1", "{\(cells.joined(separator: ", "))}")
            try await world.put("acme", record: "rec2", "{}")
            try await world.refresh("acme")
            // DateStyle and time zone of the reader must not matter.
            try await world.pool.withConnection { connection in
                try await connection.run(script: "set datestyle = 'SQL, DMY'; set timezone = 'UTC'")
                let rows = try await connection.query(
                    sql: """
                        select (to_jsonb(v) -> $1)::text as value, (v._raw -> $2)::text as raw
                        from mirror_acme."Clients" v where _record_id = 'rec1'
                        """,
                    "c0",
                    "f0"
                )
                #expect(try rows.only.decode("raw", as: String.self).contains("Zoë"))
                for (number, sample) in Self.samples.enumerated() {
                    let row = try await connection.query(
                        sql: """
                            select (to_jsonb(v) -> $1) is not distinct from $2::jsonb as fits,
                                (to_jsonb(v) -> $1)::text as got, v._raw ? $3 as has_raw
                            from mirror_acme."Clients" v where _record_id = 'rec1'
                            """,
                        "c\(number)",
                        PostgresJSON(sample.value),
                        "f\(number)"
                    ).only
                    #expect(try row.decode("has_raw", as: Bool.self))
                    let got = try row.decode("got", as: String?.self) ?? "nothing"
                    #expect(try row.decode("fits", as: Bool.self), "\(sample.testDescription) became \(got)")
                }
                let empty = try await connection.query(
                    sql: """
                        select count(*) from mirror_acme."Clients" v, jsonb_each(to_jsonb(v)) as cell
                        where _record_id = 'rec2' and cell.key like 'c%' and cell.value <> 'null'
                        """
                ).only
                #expect(try empty.decode(0, as: Int64.self) == 0)
            }
        }
    }

    @Test("finds a record by its key of the mirror, whoever else has rows")
    func plan() async throws {
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            try await world.setFields("acme", [.init(id: "f", name: "Name")])
            try await world.sql(
                """
                insert into leasehold.mirror_record (tenant_id, table_id, record_id, content_hash, fields, changed_at)
                select 'acme', 'tbl', 'rec' || n, '\\x00', jsonb_build_object('f', jsonb_build_object('val', n)), now()
                from generate_series(1, 5000) n
                """
            )
            try await world.sql("analyze leasehold.mirror_record")
            try await world.refresh("acme")
            let plan = try await world.sql(
                "explain (costs off) select * from mirror_acme.\"Clients\" where _record_id = 'rec7'"
            ).map { try $0.decode(0, as: String.self) }.joined(separator: "\n")
            #expect(plan.contains("Index Scan using mirror_record_pkey"))
            #expect(plan.contains("(record_id = 'rec7'::text)") && plan.contains("Index Cond"))
            #expect(!plan.contains("Seq Scan"))
            #expect(
                try await world.text("select \"Name\" from mirror_acme.\"Clients\" where _record_id = 'rec7'") == "7"
            )
        }
    }
}
