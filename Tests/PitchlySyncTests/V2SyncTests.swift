import FakePitchly
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("A table sync with the dialect v2")
struct V2SyncTests {
    @Test("makes the mirror equal to the source, with fields of every type, and writes nothing twice")
    func firstSync() async throws {
        try await SyncWorld.withWorld(.init { $0.dialect = .v2 }) { world in
            for table in try world.tables(0) {
                #expect(try await world.sync(table, of: 0) == .completed)
                try await world.expectMirror(of: table, tenant: 0)
                #expect(try await world.sync(table, of: 0) == .completed)
                let run = try await world.lastRun(table, of: 0)
                #expect(try run.decode("unchanged", as: Int.self) == table.recordCount)
                #expect(try run.decode("rows", as: Int.self) == table.recordCount)
                #expect(try run.decode("mode", as: String.self) == "full")
            }
        }
    }

    @Test("finds the tables of the organisation that the tenant's settings name, and asks for its id without them")
    func organization() async throws {
        try await SyncWorld.withWorld(.init { $0.dialect = .v2 }) { world in
            guard case .retry(let reason, nil) = try await world.jobs.sync(world.context(0)) else {
                Issue.record("expected a retry")
                return
            }
            #expect(reason.contains("organisation"))
            _ = try await world.rows(
                """
                update leasehold.tenant
                set settings = jsonb_build_object('pitchly', jsonb_build_object('workspaces', jsonb_build_array($1::text)))
                where tenant_id = $2
                """,
                String(world.server.organizationIDs[0].dropFirst(3)),
                world.tenant(0).rawValue
            )
            #expect(try await world.jobs.sync(world.context(0)) == .completed)
            let asked = try await world.rows("select args ->> 'table' as id from leasehold.job")
            let ids = try Set(asked.map { try $0.decode("id", as: String.self) })
            #expect(ids == Set(try world.tables(0).map(world.id(of:))))
        }
    }
}
