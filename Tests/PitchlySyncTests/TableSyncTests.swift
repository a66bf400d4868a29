import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("A table sync")
struct TableSyncTests {
    @Test("makes the mirror equal to the source, with fields of every type")
    func firstSync() async throws {
        try await SyncWorld.withWorld { world in
            for table in try world.tables(0) {
                #expect(try await world.sync(table, of: 0) == .completed)
                try await world.expectMirror(of: table, tenant: 0)
                let run = try await world.lastRun(table, of: 0)
                #expect(try run.decode("state", as: String.self) == "merged")
                #expect(try run.decode("inserted", as: Int.self) == table.recordCount)
                #expect(try run.decode("pages", as: Int32.self) == Int32((table.recordCount + 49) / 50))
                #expect(try run.decode("expected_rows", as: Int.self) == table.recordCount)
            }
            let fields = try await world.rows(
                "select field_id, name, type, place from leasehold.mirror_field where table_id = $1 order by place",
                try world.tables(0)[0].id
            )
            let expected = try world.tables(0)[0].fields
            #expect(try fields.map { try $0.decode("field_id", as: String.self) } == expected.map(\.compositeName))
            #expect(try fields.map { try $0.decode("name", as: String.self) } == expected.map(\.name))
            #expect(try fields.map { try $0.decode("type", as: String.self) } == expected.map(\.type.rawValue))
        }
    }

    @Test("of an unchanged table writes no record and no change")
    func unchanged() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let versions = "select max(xmin::text::bigint) as newest, count(*) as changes from leasehold.mirror_record"
            let before = try await world.rows(versions).only.decode("newest", as: Int64.self)
            #expect(try await world.sync(table, of: 0) == .completed)
            let run = try await world.lastRun(table, of: 0)
            #expect(try run.decode("unchanged", as: Int.self) == table.recordCount)
            #expect(try run.decode("inserted", as: Int.self) == 0)
            #expect(try await world.rows(versions).only.decode("newest", as: Int64.self) == before)
            let changes = try await world.rows("select count(*) from leasehold.mirror_change").only
            #expect(try changes.decode(0, as: Int.self) == table.recordCount)
        }
    }

    @Test("follows inserts, updates, deletes, moves and changes of fields")
    func edits() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let ids = try world.server.records(table: table.id).prefix(3).map(Self.id)
            let text = table.fields[0].id
            try world.server.edit(
                table: table.id,
                [
                    .insert(cells: Self.cells(text, "new \"one\"\u{0} \\ 🚀")),
                    .update(record: ids[0], cells: Self.cells(text, "changed")),
                    .delete(record: ids[1]), .move(record: ids[2], before: nil),
                ]
            )
            #expect(try await world.sync(table, of: 0) == .completed)
            let run = try await world.lastRun(table, of: 0)
            #expect(try run.decode("inserted", as: Int.self) == 1)
            #expect(try run.decode("deleted", as: Int.self) == 1)
            // A reference may show the text of the record that was changed.
            #expect(try run.decode("updated", as: Int.self) >= 1)
            try world.server.edit(
                table: table.id,
                [
                    .retypeField(table.fields[2].id, type: .text), .renameField(table.fields[3].id, name: "Renamed"),
                    .removeField(table.fields[4].id), .addField(name: "Added", type: .currency),
                ]
            )
            #expect(try await world.sync(table, of: 0) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
            let noted = try await world.rows(
                """
                select change ->> 'change' as change, change ->> 'before' as before, change ->> 'after' as after
                from leasehold.sync_run, jsonb_array_elements(field_changes) as change
                where table_id = $1 and sync_id = (select max(sync_id) from leasehold.sync_run)
                order by 1
                """,
                table.id
            )
            let changes = try noted.map { try $0.decode((String, String?, String?).self) }
            #expect(changes.map(\.0) == ["added", "removed", "renamed", "retyped"])
            #expect(changes[2].2 == "Renamed")
            #expect(changes[3].1 == "number" && changes[3].2 == "text")
        }
    }

    @Test("goes on from the checkpoint when the claim before was killed")
    func resume() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            let pages = (table.recordCount + 49) / 50
            // The third page never comes, as for a worker that dies while it waits for it.
            var rule = FaultRule(.hold(FaultGate(), .before), at: .graphql)
            rule.operation = "recordsConnection"
            rule.skip = 2
            world.server.faults.add(rule)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { _ = try await world.sync(table, of: 0, job: 1) }
                while (try? await world.checkpoint(of: table)) != 100 { await Task.yield() }
                group.cancelAll()
            }
            world.server.faults.removeAll()
            let asked = world.server.requests.count
            #expect(try await world.sync(table, of: 0, job: 1, run: 2) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
            let run = try await world.lastRun(table, of: 0)
            #expect(try run.decode("takeovers", as: Int32.self) == 1)
            #expect(try run.decode("pages", as: Int32.self) == Int32(pages))
            // One request for the fields, and only the pages that were missing.
            #expect(world.server.requests.count - asked == 1 + pages - 2)
        }
    }

    @Test("stops writing when a later claim has taken the run over")
    func fenced() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            let gate = FaultGate()
            var rule = FaultRule(.hold(gate, .before), at: .graphql)
            rule.operation = "recordsConnection"
            rule.skip = 1
            world.server.faults.add(rule)
            try await withThrowingTaskGroup(of: JobOutcome.self) { group in
                group.addTask { try await world.sync(table, of: 0, job: 1, run: 1) }
                while try await world.checkpoint(of: table) != 50 { await Task.yield() }
                #expect(try await world.sync(table, of: 0, job: 1, run: 2) == .completed)
                gate.open()
                // The zombie's pages do not count: its claim no longer holds the run.
                guard case .snooze(_, let reason) = try await group.next() else {
                    Issue.record("expected the earlier claim to be refused")
                    return
                }
                #expect(reason.contains("a later claim"))
            }
            try await world.expectMirror(of: table, tenant: 0)
            let staged = try await world.rows("select count(*) from leasehold.mirror_stage").only
            #expect(try staged.decode(0, as: Int.self) == 0)
        }
    }

    @Test("begins again when the server has lost the staged records")
    func lostStage() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            world.server.faults.add(.noPages(after: 2))
            guard case .snooze = try await world.sync(table, of: 0, job: 1) else {
                Issue.record("expected the job to rest and to go on later")
                return
            }
            world.server.faults.removeAll()
            // As a crash of PostgreSQL does with an unlogged table.
            _ = try await world.rows("truncate leasehold.mirror_stage")
            #expect(try await world.sync(table, of: 0, job: 1, run: 2) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
            #expect(try await world.lastRun(table, of: 0).decode("restarts", as: Int32.self) == 1)
        }
    }

    @Test("begins again when the API no longer takes its cursor")
    func expiredCursor() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            world.server.faults.add(FaultRule(.graphQL(.expiredCursor), at: .graphql))
            #expect(try await world.sync(table, of: 0) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
            #expect(try await world.lastRun(table, of: 0).decode("restarts", as: Int32.self) == 1)
        }
    }

    @Test("asks for smaller pages when the API refuses the size")
    func refusedPageSize() async throws {
        let options = SyncWorld.Options {
            $0.fake.api.oversizedPages = .refused
            $0.settings.pageSize = 400
        }
        try await SyncWorld.withWorld(options) { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("leaves the mirror untouched and says suspicious when the source looks empty")
    func suspicious() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            world.server.faults.add(.always(.graphQL(.emptyPage)))
            guard case .discard(let reason) = try await world.sync(table, of: 0) else {
                Issue.record("expected the job to stop")
                return
            }
            #expect(reason.contains("suspicious"))
            #expect(reason.contains("leasehold sync confirm --tenant tenant-0 --table \(table.id)"))
            try await world.expectMirror(of: table, tenant: 0)
            let run = try await world.lastRun(table, of: 0)
            #expect(try run.decode("state", as: String.self) == "suspicious")
            let staged = try await world.rows("select count(*) from leasehold.mirror_stage").only
            #expect(try staged.decode(0, as: Int.self) == 0)
        }
    }

    @Test("deletes any share of a table once that was confirmed, and only once")
    func confirmed() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let ids = try world.server.records(table: table.id).map(Self.id)
            try world.server.edit(table: table.id, ids.dropLast(5).map { .delete(record: $0) })
            _ = try await world.sync(table, of: 0)
            _ = try await world.rows("select leasehold.sync_confirm('tenant-0', $1)", table.id)
            #expect(try await world.sync(table, of: 0) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
            let flag = try await world.rows("select bool_or(deletion_confirmed) from leasehold.mirror_table").only
            #expect(try flag.decode(0, as: Bool.self) == false)
        }
    }

    @Test("deletes a small table without asking")
    func belowTheFloor() async throws {
        try await SyncWorld.withWorld(.init { $0.fake.data.recordsPerTable = 20...30 }) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            let ids = try world.server.records(table: table.id).map(Self.id)
            try world.server.edit(table: table.id, ids.map { .delete(record: $0) })
            #expect(try await world.sync(table, of: 0) == .completed)
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("keeps the mirror of a table that is gone at Pitchly")
    func goneTable() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            try world.server.dropTable(table.id)
            #expect(try await world.sync(table, of: 0) == .completed)
            let kept = try await world.rows(
                """
                select state, (select count(*) from leasehold.mirror_record r where r.table_id = t.table_id) as records
                from leasehold.mirror_table t where table_id = $1
                """,
                table.id
            ).only
            #expect(try kept.decode("state", as: String.self) == "gone")
            #expect(try kept.decode("records", as: Int.self) > 100)
        }
    }

    @Test("rests as long as the API asks, without holding a worker")
    func throttled() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            world.server.faults.add(.always(.answer(.init(status: 429, retryAfter: .seconds(90)), .before)))
            let outcome = try await world.sync(table, of: 0)
            guard case .snooze(.seconds(90), let reason) = outcome else {
                Issue.record("expected a snooze, got \(outcome)")
                return
            }
            #expect(reason.contains("429"))
        }
    }

    @Test("does not take a short list for the whole when the API counts more")
    func incomplete() async throws {
        // Lists what was edited far in the future, and counts everything.
        let documents = try TestDocuments([
            "platform_records.graphql": """
            query records($tableId: ID!, $first: Int, $after: String) {
              recordsConnection(tableId: $tableId, first: $first, after: $after, filter: {updatedAfter: "2199-01-01T00:00:00Z"}) {
                edges { node { id fields { fieldId value stringValue } } }
                pageInfo { hasNextPage endCursor }
              }
              all: recordsConnection(tableId: $tableId, first: 1) { totalCount }
            }
            """,
            "platform_records.layout.json": DialectDocuments.embedded.text("platform_records.layout.json")
                .replacing(#"["recordsConnection", "totalCount"]"#, with: #"["all", "totalCount"]"#),
        ])
        let options = SyncWorld.Options {
            $0.fake.data.recordsPerTable = 40...45
            $0.documents = documents.value
        }
        try await SyncWorld.withWorld(options) { world in
            let table = try world.tables(0)[0]
            guard case .retry(let reason, nil) = try await world.sync(table, of: 0) else {
                Issue.record("expected a retry")
                return
            }
            #expect(reason.contains("\(table.recordCount) records"))
            #expect(try await world.lastRun(table, of: 0).decode("restarts", as: Int32.self) == 1)
        }
    }

    @Test("stops at a checkpoint when its tenant is paused")
    func paused() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.rows("update leasehold.tenant set state = 'paused'")
            guard case .snooze(_, let reason) = try await world.sync(table, of: 0, job: 1) else {
                Issue.record("expected the job to rest")
                return
            }
            #expect(reason.contains("paused"))
            _ = try await world.rows("update leasehold.tenant set state = 'active'")
            #expect(try await world.sync(table, of: 0, job: 1, run: 2) == .completed)
            #expect(try await world.lastRun(table, of: 0).decode("takeovers", as: Int32.self) == 1)
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("does not mix two tenants that sync at once")
    func twoTenants() async throws {
        try await SyncWorld.withWorld { world in
            try await withThrowingTaskGroup(of: JobOutcome.self) { group in
                for number in 0...1 {
                    for table in try world.tables(number) {
                        group.addTask { try await world.sync(table, of: number) }
                    }
                }
                for try await outcome in group { #expect(outcome == .completed) }
            }
            for number in 0...1 {
                for table in try world.tables(number) {
                    try await world.expectMirror(of: table, tenant: number)
                    #expect(try await world.mirror(of: table, tenant: 1 - number).isEmpty)
                }
            }
        }
    }

    @Test("refuses args that name no table, and keeps the reason")
    func badArgs() async throws {
        try await SyncWorld.withWorld { world in
            let outcome = try await world.jobs.syncTable(world.context(0, args: #"{"tabel":"x"}"#))
            guard case .discard(let reason) = outcome else {
                Issue.record("expected a discard, got \(outcome)")
                return
            }
            #expect(reason.contains(#"{"table": "<table id>"}"#))
        }
    }

    static func cells(_ field: String, _ text: String) -> JSONObject {
        var cells = JSONObject()
        cells[field] = ["val": .string(text)]
        return cells
    }

    static func id(_ line: String) throws -> String {
        let object = try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any]
        return try #require(object?["id"] as? String)
    }
}

extension SyncWorld {
    /// Rows staged by the run under way; nil without one.
    func checkpoint(of table: FakeTable) async throws -> Int? {
        try await rows("select rows from leasehold.sync_run where table_id = $1 and state = 'reading'", table.id)
            .first?.decode(0, as: Int.self)
    }
}

extension FaultRule {
    static func always(_ fault: Fault) -> FaultRule {
        var rule = FaultRule(fault, at: .graphql)
        rule.count = nil
        return rule
    }

    /// After some pages of records, no more come.
    static func noPages(after pages: Int) -> FaultRule {
        var rule = always(.close(.before, isReset: false))
        rule.operation = "recordsConnection"
        rule.skip = pages
        return rule
    }
}
