import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("What an incremental sync takes for changed")
struct ChangeWindowTests {
    /// A source whose clock stands but for ``SyncWorld/edit(_:_:)``, far from ours. Without an overlap,
    /// so that nothing that was passed over is read again by accident.
    private static func options(skew: TimeInterval = -3600) -> SyncWorld.Options {
        let start = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 + skew).rounded(.down))
        return SyncWorld.Options {
            $0.fake.data.fieldTypes = [.text, .number, .updatedAt]
            $0.fake.clock = { start }
            $0.settings.overlap = .zero
        }
    }

    @Test("is told by Pitchly's clock, wherever ours stands", arguments: [-86_400, -600, 600])
    func skew(seconds: TimeInterval) async throws {
        try await SyncWorld.withWorld(Self.options(skew: seconds)) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            for round in 1...2 {
                try world.update(table, records: 1, to: "round \(round)")
                #expect(try await world.sync(table, of: 0) == .completed)
                #expect(try await world.modes(table).last == "incremental")
                try await world.expectMirror(of: table, tenant: 0)
            }
        }
    }

    @Test("is asked for again after a run that saw nothing, even where the numbers of records agree")
    func emptyAnswer() async throws {
        try await SyncWorld.withWorld(Self.options()) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            try world.update(table, records: 1, to: "changed")
            let last = try #require(try world.server.records(table: table.id).last.map(TableSyncTests.id))
            try world.edit(table, [.delete(record: last), .insert(cells: JSONObject())])
            world.server.faults.add(.emptyPage(after: 0))
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.modes(table) == ["full", "incremental"])
            #expect(try await world.lastRun(table, of: 0).decode("rows", as: Int.self) == 0)

            #expect(try await world.sync(table, of: 0) == .completed)
            // The insertion comes, and with it one record too many for the API's count.
            #expect(try await world.modes(table) == ["full", "incremental", "incremental", "full"])
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("is looked at twice where an answer in the middle was empty, and again by the next run if that was no better")
    func emptyAnswerInTheMiddle() async throws {
        try await SyncWorld.withWorld(Self.options()) { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            try world.update(table, records: 80, to: "first")
            world.server.faults.add(.emptyPage(after: 1))
            #expect(try await world.sync(table, of: 0) == .completed)
            let run = try await world.lastRun(table, of: 0)
            #expect(try run.decode("restarts", as: Int32.self) == 1)
            #expect(try run.decode("updated", as: Int.self) == 80)
            try await world.expectMirror(of: table, tenant: 0)

            try world.update(table, records: 80, to: "second")
            world.server.faults.removeAll()
            // The second page of both looks.
            world.server.faults.add(.emptyPage(after: 1))
            world.server.faults.add(.emptyPage(after: 3))
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastRun(table, of: 0).decode("updated", as: Int.self) == 50)
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastRun(table, of: 0).decode("updated", as: Int.self) == 30)
            #expect(try await world.modes(table) == ["full", "incremental", "incremental", "incremental"])
            try await world.expectMirror(of: table, tenant: 0)
        }
    }

    @Test("is everything after a full run that got fewer records than the API counts")
    func shortFullRun() async throws {
        try await SyncWorld.withWorld(Self.options()) { world in
            let table = try world.tables(0)[0]
            world.server.faults.add(.emptyPage(after: 2))
            world.server.faults.add(.emptyPage(after: 5))
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.lastRun(table, of: 0).decode("rows", as: Int.self) == 100)
            #expect(try await world.sync(table, of: 0) == .completed)
            #expect(try await world.modes(table) == ["full", "full"])
            try await world.expectMirror(of: table, tenant: 0)
        }
    }
}

extension SyncWorld {
    /// Of all runs of a table, in their order.
    fileprivate func modes(_ table: FakeTable) async throws -> [String] {
        try await rows("select mode from leasehold.sync_run where table_id = $1 order by sync_id", id(of: table))
            .map { try $0.decode("mode", as: String.self) }
    }

    /// Changes the first records of a table.
    fileprivate func update(_ table: FakeTable, records count: Int, to text: String) throws {
        let cells = TableSyncTests.cells(table.fields[0].id, text)
        let ids = try server.records(table: table.id).prefix(count).map(TableSyncTests.id)
        try edit(table, ids.map { .update(record: $0, cells: cells) })
    }

    /// Between two runs: later than all that was before, earlier than all that comes.
    fileprivate func edit(_ table: FakeTable, _ edits: [TableEdit]) throws {
        server.clock.advance(by: .seconds(1))
        try server.edit(table: table.id, edits)
        server.clock.advance(by: .seconds(1))
    }
}

extension FaultRule {
    /// After some requests for records, one answer without any, which says that there are no more.
    fileprivate static func emptyPage(after pages: Int) -> FaultRule {
        var rule = FaultRule(.graphQL(.emptyPage), at: .graphql)
        rule.operation = "recordsConnection"
        rule.skip = pages
        return rule
    }
}
