import FakePitchly
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("Pruning mirrors")
struct PruneTests {
    @Test("removes old changes from the beginning only, and tells a consumer that came too late")
    func changes() async throws {
        try await SyncWorld.withWorld { world in
            let table = try world.tables(0)[0]
            _ = try await world.sync(table, of: 0)
            _ = try await world.rows("update leasehold.mirror_change set changed_at = now() - interval '8 days'")
            try world.server.editAtRandom(table: table.id, count: 30, seed: 1)
            _ = try await world.sync(table, of: 0)
            let last = try await world.rows("select max(position) from leasehold.mirror_change").only
            let newest = try last.decode(0, as: Int64.self)
            try await world.jobs.prune()
            let left = try await world.rows("select min(position), count(*) from leasehold.mirror_change").only
            let (first, count) = try left.decode((Int64, Int64).self)
            #expect(first == Int64(table.recordCount) + 1 || first > 100)
            #expect(count == newest - first + 1)
            let follow = "select count(*) from leasehold.mirror_changes('tenant-0', $1, $2)"
            #expect(try await world.rows(follow, table.id, first - 1).only.decode(0, as: Int64.self) == count)
            let error = await #expect(throws: PostgresError.self) { try await world.rows(follow, table.id, first - 2) }
            #expect(error?.sqlState == "22023")
        }
    }

    @Test("gives up runs that nobody goes on with, and their staged records, and keeps the rest")
    func runs() async throws {
        try await SyncWorld.withWorld { world in
            let tables = try world.tables(0)
            for _ in 1...2 { _ = try await world.sync(tables[0], of: 0) }
            world.server.faults.add(.noPages(after: 1))
            _ = try await world.sync(tables[1], of: 0)
            try await world.jobs.prune()
            #expect(try await world.checkpoint(of: tables[1]) == 50)
            _ = try await world.rows(
                """
                update leasehold.sync_run
                set advanced_at = now() - interval '2 days',
                    finished_at = finished_at - interval '31 days'
                """
            )
            try await world.jobs.prune()
            let runs = try await world.rows("select table_id, state from leasehold.sync_run order by sync_id")
            let kept = try runs.map { try $0.decode((String, String).self) }
            #expect(kept.map(\.0) == [tables[0].id, tables[1].id])
            #expect(kept.map(\.1) == ["merged", "abandoned"])
            try await world.jobs.prune()
            let staged = try await world.rows("select count(*) from leasehold.mirror_stage").only
            #expect(try staged.decode(0, as: Int.self) == 0)
        }
    }
}
