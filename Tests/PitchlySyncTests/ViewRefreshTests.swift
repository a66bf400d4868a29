import FakePitchly
import Foundation
import JobQueue
import Postgres
import SQLFiles
import TestSupport
import Testing

@Suite("Refreshing typed views")
struct ViewRefreshTests {
    @Test("follows fields that are added, renamed, retyped, moved, removed and come back")
    func follows() async throws {
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            let (name, fee) = (
                ViewWorld.Field(id: "n", name: "Name"), ViewWorld.Field(id: "f", name: "Fee", type: "number")
            )
            let states: [[ViewWorld.Field]] = [
                [name], [name, fee], [name, .init(id: "f", name: "Price", type: "number")],
                [name, .init(id: "f", name: "Price", type: "text")], [fee, name], [fee], [name, fee],
            ]
            for (number, state) in states.enumerated() {
                try await world.setFields("acme", state)
                #expect(try await world.refresh("acme") == ["Clients": number == 0 ? "created" : "changed"])
                #expect(try await world.refresh("acme") == ["Clients": "unchanged"])
                let expected = state.map { [$0.name, $0.type == "number" ? "numeric" : "text"] }
                #expect(try await world.columns("mirror_acme", "Clients") == expected)
            }
        }
    }

    @Test("keeps views that somebody built upon one as long as columns are only added")
    func dependents() async throws {
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            try await world.setFields("acme", [.init(id: "n", name: "Name")])
            try await world.put("acme", record: "rec1", #"{"n": {"val": "Zoë"}}"#)
            try await world.refresh("acme")
            try await world.sql("create view public.mine as select \"Name\" from mirror_acme.\"Clients\"")
            try await world.setFields("acme", [.init(id: "n", name: "Name"), .init(id: "f", name: "Fee")])
            #expect(try await world.refresh("acme") == ["Clients": "changed"])
            #expect(try await world.text("select * from public.mine") == "Zoë")
            // What would break it is told and not done.
            try await world.setFields("acme", [.init(id: "f", name: "Fee")])
            #expect(try await world.refresh("acme") == ["Clients": "failed"])
            let problem = try await world.text("select problem from leasehold.mirror_view")
            #expect(problem?.contains("mine depends on") == true)
            #expect(try await world.text("select * from public.mine") == "Zoë")
            try await world.sql("drop view public.mine")
            #expect(try await world.refresh("acme") == ["Clients": "changed"])
            #expect(try await world.columns("mirror_acme", "Clients").map { $0[0] } == ["Fee"])
        }
    }

    @Test("leaves a view that a reader holds for later, and does not wait for the reader")
    func heldByReader() async throws {
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            try await world.setFields("acme", [.init(id: "n", name: "Name")])
            try await world.refresh("acme")
            try await world.setFields("acme", [.init(id: "n", name: "Renamed")])
            try await world.pool.withTransaction { reader in
                _ = try await reader.query(sql: "select * from mirror_acme.\"Clients\"")
                #expect(try await world.refresh("acme") == ["Clients": "waiting"])
                #expect(try await world.columns("mirror_acme", "Clients").map { $0[0] } == ["Name"])
                // Other readers get in.
                try await world.sql("select \"Name\" from mirror_acme.\"Clients\"")
            }
            let retried = try await world.pool.query(.mirrorViewRetry, Int32(10)).only
            #expect(try retried.decode("refreshed", as: Int64.self) == 1)
            #expect(try await world.columns("mirror_acme", "Clients").map { $0[0] } == ["Renamed"])
            #expect(try await world.text("select state from leasehold.mirror_view") == "current")
        }
    }

    @Test("comes with every sync, and a dashboard that holds the view does not hold up the sync")
    func withSync() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            #expect(try await world.sync(table, of: 0) == .completed)
            let found = try await world.rows(
                "select schema_name, view_name, columns from leasehold.mirror_view where table_id = $1",
                table.id
            ).only
            #expect(try found.decode("schema_name", as: String.self) == "mirror_tenant-0")
            let view = "\"mirror_tenant-0\".\"\(try found.decode("view_name", as: String.self))\""
            let count = try await world.rows("select count(*) from \(view)").only
            #expect(try count.decode(0, as: Int.self) == table.recordCount)
            // Every seeded cell fits the column of its type.
            let lost = try await world.rows(
                """
                select f.type from leasehold.mirror_field f, \(view) v
                where f.table_id = $1 and v._raw -> f.field_id -> 'val' is not null
                    and v._raw -> f.field_id -> 'val' <> 'null' and to_jsonb(v) -> f.name = 'null'
                limit 1
                """,
                table.id
            )
            #expect(try lost.map { try $0.decode(0, as: String.self) } == [])
            try world.server.edit(table: table.id, [.renameField(table.fields[3].id, name: "Renamed")])
            try await world.pool.withTransaction { reader in
                _ = try await reader.query(sql: "select * from \(view) limit 1")
                #expect(try await world.sync(table, of: 0) == .completed)
            }
            let state = try await world.rows("select state from leasehold.mirror_view where table_id = $1", table.id)
                .only
            #expect(try state.decode(0, as: String.self) == "waiting")
            #expect(try await world.sync(table, of: 0) == .completed)
            _ = try await world.rows("select \"Renamed\" from \(view)")
        }
    }
}
