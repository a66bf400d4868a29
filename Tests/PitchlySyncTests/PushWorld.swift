import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import SQLFiles
import Testing

@testable import PitchlySync

/// A mirrored table of a ``SyncWorld`` and the outbox before it.
struct PushWorld: Sendable {
    let world: SyncWorld
    let table: FakeTable
    /// Of a text field and of a number field, as the API names them.
    let text: String
    let number: String
    /// As the API names them, in table order.
    let records: [String]

    static func with(
        _ dialect: DialectName,
        _ change: (inout SyncWorld.Options) -> Void = { _ in },
        _ body: (PushWorld) async throws -> Void
    ) async throws {
        let options = SyncWorld.Options { options in
            options.dialect = dialect
            options.fake.data.recordsPerTable = 40...40
            change(&options)
        }
        try await SyncWorld.withWorld(options) { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            func field(_ type: FieldType) throws -> String {
                let field = try #require(table.fields.first { $0.type == type })
                return dialect == .v2 ? String(field.id.dropFirst(3)) : field.compositeName
            }
            let rows = try await world.rows(
                "select record_id from leasehold.mirror_record where table_id = $1 order by 1",
                world.id(of: table)
            )
            try await body(
                PushWorld(
                    world: world,
                    table: table,
                    text: field(.text),
                    number: field(.number),
                    records: rows.map { try $0.decode(0, as: String.self) }
                )
            )
        }
    }

    /// - Parameter value: any JSON.
    func push(_ record: String, _ field: String, _ value: String, key: String) async throws -> Int64 {
        try await world.pool.withConnection { connection in
            try await connection.query(
                sql: "select leasehold.push('tenant-0', $1, $2, $3, $4)",
                world.id(of: table),
                record,
                PostgresJSON(#"{"\#(field)": {"val": \#(value)}}"#),
                key
            ).only.decode(0)
        }
    }

    func upsert(_ match: [String], _ changes: String, key: String) async throws -> Int64 {
        try await world.pool.withConnection { connection in
            try await connection.query(
                sql: "select leasehold.push_upsert('tenant-0', $1, $2, $3, $4)",
                world.id(of: table),
                match,
                PostgresJSON(changes),
                key
            ).only.decode(0)
        }
    }

    /// One claim of the table's job.
    func drain() async throws -> JobOutcome { try await world.jobs.push(world.context(0, args: world.args(table))) }

    func record(_ push: Int64) async throws -> PushRecord {
        try await PushOutbox(pool: world.pool).show(push, of: world.tenant(0))
    }

    /// Makes every waiting push due.
    func passTime() async throws { _ = try await world.rows("update leasehold.push set due_at = now()") }

    /// The root field that writes one record.
    var mutation: String { world.dialect == .v2 ? "updateRow" : "updateRecords" }

    /// What the fake took for a record, in order: the `val` of each write's only cell.
    func received(_ record: String) -> [JSONValue] {
        table.receivedWrites.filter { $0.record.hasSuffix(record) }.map {
            $0.cells.members.first?.value["val"] ?? .null
        }
    }
}
