import FakePitchly
import Foundation
import JobQueue
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("Comparing a mirror with its source")
struct DiffTests {
    private func diff(_ table: FakeTable, _ world: SyncWorld, examples: Int = 3) async throws -> TableDiff {
        try await world.jobs.diff(
            world.id(of: table),
            of: world.tenant(0),
            examples: examples,
            logger: world.log.logger("diff")
        )
    }

    @Test("finds what was inserted, changed and deleted, and writes nothing", arguments: DialectName.allCases)
    func finds(dialect: DialectName) async throws {
        try await SyncWorld.withWorld(.init { $0.dialect = dialect }) { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            var found = try await diff(table, world)
            #expect(found.isEmpty && found.equal == table.recordCount && !found.mirrorMoved)
            let ids = try world.server.records(table: table.id).prefix(9).map { line in
                try #require(try JSONParser.parse(line)["id"].stringValue)
            }
            let cells = JSONObject([(table.fields[0].id, ["val": "changed"])])
            let inserted = try world.server.edit(
                table: table.id,
                ids[..<4].map { .delete(record: $0) } + ids[4..<6].map { .update(record: $0, cells: cells) }
                    + [.insert(cells: cells), .move(record: ids[8], before: ids[7])]
            )
            let before = try await fingerprint(world)
            found = try await diff(table, world)
            #expect(found.missing.count == 4 && found.missing.examples.count == 3)
            #expect(found.inserted.count == 1 && inserted.contains { $0.hasSuffix(found.inserted.examples[0]) })
            // A reference may show the text of a record that was changed.
            #expect(found.changed.count >= 2)
            #expect(found.equal + found.changed.count + found.inserted.count == table.recordCount)
            #expect(try await fingerprint(world) == before)
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await diff(table, world).isEmpty)
        }
    }

    @Test("tells what changed about the fields")
    func fields() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            let fields = table.fields
            try world.server.edit(
                table: table.id,
                [
                    .renameField(fields[1].id, name: "Other"), .retypeField(fields[2].id, type: .text),
                    .removeField(fields[3].id), .addField(name: "New", type: .date),
                ]
            )
            let lines = try await diff(table, world).fields.sorted()
            #expect(lines.count == 4)
            for (line, word) in zip(lines, ["added", "removed", "renamed", "retyped"]) { #expect(line.hasPrefix(word)) }
            #expect(lines[2] == "renamed \(fields[1].compositeName) \"\(fields[1].name)\" to \"Other\"")
        }
    }

    @Test("refuses a table that is not mirrored and one that Pitchly no longer has")
    func noTable() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            await #expect(throws: NoMirroredTable.self) {
                try await world.jobs.diff("nope", of: world.tenant(0), logger: world.log.logger("diff"))
            }
            try world.server.dropTable(table.id)
            await #expect(throws: TableGone.self) { try await diff(table, world) }
        }
    }

    /// Of everything a comparison might write.
    private func fingerprint(_ world: SyncWorld) async throws -> String {
        try await world.rows(
            """
            select concat_ws(' ', (select count(*) from leasehold.sync_run), (select count(*) from leasehold.mirror_change),
                (select max(xmin::text::bigint) from leasehold.mirror_record), (select count(*) from leasehold.mirror_stage),
                (select max(updated_at) from leasehold.mirror_table), (select max(updated_at) from leasehold.mirror_field),
                (select count(*) from leasehold.job))
            """
        ).only.decode(0)
    }
}
