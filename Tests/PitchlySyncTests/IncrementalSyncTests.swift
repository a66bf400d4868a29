import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("An incremental sync")
struct IncrementalSyncTests {
    private static let options = SyncWorld.Options {
        $0.fake.data.fieldTypes = [.text, .number, .updatedAt]
    }

    @Test("reads only what changed since the run before, and gives the same mirror")
    func readsOnlyChanges() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastMode(table) == "full")
            let ids = try world.server.records(table: table.id).prefix(2).map(TableSyncTests.id)
            let text = table.fields[0].id
            try world.server.edit(
                table: table.id,
                [
                    .insert(cells: TableSyncTests.cells(text, "new")),
                    .update(record: ids[0], cells: TableSyncTests.cells(text, "x")),
                ]
            )
            #expect(try await world.sync(table, of: 0) == .completed)
            let run = try await world.lastRun(table, of: 0)
            #expect(try run.decode("mode", as: String.self) == "incremental")
            #expect(try run.decode("rows", as: Int.self) == 2)
            #expect(try run.decode("inserted", as: Int.self) == 1)
            #expect(try run.decode("updated", as: Int.self) == 1)
            try await world.expectMirror(of: table, tenant: 0)
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastRun(table, of: 0).decode("unchanged", as: Int.self) == 2)
        }
    }

    @Test("is followed by a full one when records were deleted")
    func deletions() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let ids = try world.server.records(table: table.id).prefix(2).map(TableSyncTests.id)
            try world.server.edit(table: table.id, ids.map { .delete(record: $0) } + [.insert(cells: JSONObject())])
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastMode(table) == "full")
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("gives way to a full one when a field changed, but not when it was only renamed")
    func fields() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            try world.server.edit(table: table.id, [.renameField(table.fields[1].id, name: "Other")])
            _ = try await world.sync(table, of: 0)
            #expect(try await world.lastMode(table) == "incremental")
            try world.server.edit(table: table.id, [.retypeField(table.fields[1].id, type: .text)])
            _ = try await world.sync(table, of: 0)
            #expect(try await world.lastMode(table) == "full")
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("gives way to a full one when a field changed between its beginning and its first page")
    func fieldsBeforeTheFirstPage() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            world.server.faults.add(.noPages(after: 0))
            guard case .retry = try await world.sync(table, of: 0, job: 1) else {
                Issue.record("expected the first claim to fail")
                return
            }
            #expect(try await world.lastMode(table) == "incremental")
            world.server.faults.removeAll()
            try world.server.edit(table: table.id, [.retypeField(table.fields[1].id, type: .text)])
            #expect(try await world.sync(table, of: 0, job: 1, run: 2) == .completed)
            #expect(try await world.lastMode(table) == "full")
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("gives way to a full one when that is due or asked for")
    func due() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let args = #"{"table":"\#(table.id)","full":true}"#
            #expect(try await world.jobs.syncTable(world.context(0, args: args)) == .completed)
            #expect(try await world.lastMode(table) == "full")
            _ = try await world.sync(table, of: 0)
            #expect(try await world.lastMode(table) == "incremental")
            _ = try await world.rows("update leasehold.mirror_table set full_synced_at = now() - interval '25 hours'")
            _ = try await world.sync(table, of: 0)
            #expect(try await world.lastMode(table) == "full")
        }
    }

    @Test("goes on as what it was when its claim was killed")
    func resumed() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let ids = try world.server.records(table: table.id).prefix(80).map(TableSyncTests.id)
            let cells = TableSyncTests.cells(table.fields[0].id, "changed")
            try world.server.edit(table: table.id, ids.map { .update(record: $0, cells: cells) })
            world.server.faults.add(.noPages(after: 1))
            guard case .snooze = try await world.sync(table, of: 0, job: 1) else {
                Issue.record("expected the first claim to be interrupted")
                return
            }
            world.server.faults.removeAll()
            #expect(try await world.checkpoint(of: table) == 50)
            // A full run is due now, but the one under way is worth more.
            _ = try await world.rows("update leasehold.mirror_table set full_synced_at = now() - interval '25 hours'")
            #expect(try await world.sync(table, of: 0, job: 1, run: 2) == .completed)
            let modes = try await world.rows(
                "select mode, takeovers from leasehold.sync_run where table_id = $1 order by sync_id",
                table.id
            )
            #expect(try modes[1].decode("mode", as: String.self) == "incremental")
            #expect(try modes[1].decode("takeovers", as: Int32.self) == 1)
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("gives way to a full one when the API does not take the assumed filter")
    func refusedFilter() async throws {
        try await SyncWorld.withWorld(Self.options) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            var rule = FaultRule.always(.graphQL(.errors(["BAD_USER_INPUT"], keepsData: false)))
            rule.operation = "recordsConnection"
            // As long as the incremental run asks for ever smaller pages.
            rule.count = 2
            world.server.faults.add(rule)
            try world.server.edit(table: table.id, [.insert(cells: JSONObject())])
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastMode(table) == "full")
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("is allowed by the fields of the table and the settings")
    func allowed() {
        func fields(_ types: String...) -> [PitchlyField] {
            types.enumerated().map { PitchlyField(id: "\($0)", name: "", type: $1) }
        }
        #expect(SyncSettings.Incremental.exact.allows(fields("text", "updatedAt")))
        #expect(SyncSettings.Incremental.exact.allows(fields("Updated At")))
        #expect(!SyncSettings.Incremental.exact.allows(fields("text", "createdAt")))
        for derived in ["lookup", "rollup", "formula", "reference", "referenceMultiple"] {
            #expect(!SyncSettings.Incremental.exact.allows(fields("updated_at", derived)))
            #expect(SyncSettings.Incremental.always.allows(fields("updated_at", derived)))
        }
        #expect(!SyncSettings.Incremental.never.allows(fields("updatedAt")))
    }
}

extension SyncWorld {
    fileprivate func lastMode(_ table: FakeTable) async throws -> String {
        try await lastRun(table, of: 0).decode("mode")
    }
}
