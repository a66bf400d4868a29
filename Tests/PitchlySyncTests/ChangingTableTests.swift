import FakePitchly
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import PitchlySync

@Suite("A table that changes while it is read")
struct ChangingTableTests {
    @Test("loses no record of its mirror to records deleted before the page", arguments: DialectName.allCases)
    func deleted(dialect: DialectName) async throws {
        try await Self.sync(dialect) { ids in ids.prefix(7).map { .delete(record: $0) } }
    }

    @Test("loses no record of its mirror to records that move to pages that were read", arguments: DialectName.allCases)
    func moved(dialect: DialectName) async throws {
        try await Self.sync(dialect) { ids in ids.suffix(5).map { .move(record: $0, before: ids[0]) } }
    }

    @Test("loses no record of its mirror to records that are inserted and moved", arguments: DialectName.allCases)
    func reordered(dialect: DialectName) async throws {
        try await Self.sync(dialect) { ids in
            ids[30..<40].map { .move(record: $0, before: nil) }
                + ids.suffix(10).map { .move(record: $0, before: ids[1]) } + [.delete(record: ids[2])]
        }
    }

    /// Edits a mirrored table after the first page of a second sync: no record that is still there may
    /// count as deleted, and the next sync, of a table at rest, makes both equal.
    private static func sync(_ dialect: DialectName, edits: @Sendable ([String]) -> [TableEdit]) async throws {
        let options = SyncWorld.Options {
            $0.dialect = dialect
            $0.settings.pageSize = 20
            $0.settings.incremental = .never
        }
        try await SyncWorld.withWorld(options) { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            let made = try edits(world.server.records(table: table.id).map(TableSyncTests.id))
            let pages = Atomic(0)
            let context = world.context(0, args: world.args(table)) {
                guard pages.add(1, ordering: .relaxed).newValue == 1 else { return }
                try world.server.edit(table: table.id, made)
            }
            #expect(try await world.jobs.syncTable(context) == .completed)
            #expect(pages.load(ordering: .relaxed) > 1, "the table was read before it changed")
            let there = Set(try world.source(of: table).keys)
            let mirrored = Set(try await world.mirror(of: table, tenant: 0).keys)
            #expect(there.subtracting(mirrored).isEmpty)
            #expect(try await world.sync(table, of: 0) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
        }
    }
}
