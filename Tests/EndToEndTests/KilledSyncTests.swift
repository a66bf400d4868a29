import FakePitchly
import Foundation
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

extension EndToEndTests {
    @Suite struct KilledSyncTests {
        /// A worker that reads four tables is killed with SIGKILL in the middle of each, twice, and the
        /// tables change before another goes on.
        @Test(.timeLimit(.minutes(4)), arguments: DialectName.allCases)
        func syncsOfAKilledWorkerGoOnWithTheNextAndEndEqualToTheirSources(dialect: DialectName) async throws {
            try await World.with {
                $0.data.organizations = 1
                $0.data.tablesPerWorkspace = 4
                $0.data.recordsPerTable = 280...320
                $0.api.maxPageSize = 20
            } _: { world in
                let settings = Self.settings(dialect, world)
                let tenant = try await world.connectTenants()[0]
                try await Self.name(world.pitchly.organizationIDs[0], of: tenant, dialect, world)
                let tables = try world.pitchly.organization(world.pitchly.organizationIDs[0]).tables
                let random = RandomSource(seed: 20_26)
                var worker: ChildProcess?
                for kill in 1...2 {
                    let gate = FaultGate()
                    for table in tables {
                        let pages = 4 + Int(random.next() % 8)
                        world.pitchly.faults.add(.hold(table, after: pages, dialect, gate))
                    }
                    try await world.enqueue(1, "pitchly.sync", for: [tenant])
                    if worker == nil { worker = try world.startWorker("w0", environment: settings) }
                    await gate.arrivals(tables.count)
                    worker?.send(signal: SIGKILL)
                    await worker?.exit()
                    world.pitchly.faults.removeAll()
                    gate.open()
                    for table in tables { try Self.edit(table, world, random) }
                    worker = try world.startWorker("w\(kill)", environment: settings)
                    try await world.wait(for: "the syncs", "select count(*) from leasehold.job") { $0 == 0 }
                }
                #expect(
                    try await world.count("select count(*) from leasehold.sync_run where takeovers > 0")
                        == tables.count * 2
                )
                let kills = try await world.count("select count(*) from leasehold.job_attempt where outcome = 'kill'")
                #expect(kills >= tables.count * 2)

                let run = try await world.leasehold(["sync", "run", "--tenant", tenant], environment: settings)
                #expect(run.status == 0, "\(run.output)\(run.errors)")
                let diff = try await world.leasehold(["sync", "diff", "--tenant", tenant], environment: settings)
                #expect(diff.status == 0, "\(diff.output)\(diff.errors)")
                let records = try world.pitchly.organization(world.pitchly.organizationIDs[0]).tables
                    .map(\.recordCount).reduce(0, +)
                #expect(try await world.count("select count(*) from leasehold.mirror_record") == records)
                #expect(world.pitchly.ledger().totals.presentedTwice == 0)
            }
        }

        private static func settings(_ dialect: DialectName, _ world: World) -> [String: String] {
            [
                "LEASEHOLD_PITCHLY_DIALECT": dialect.rawValue,
                "LEASEHOLD_PITCHLY_API_URL": dialect == .v2 ? world.pitchly.v2URL : world.pitchly.apiURL,
            ]
        }

        /// v2 cannot be asked which organisation a tenant is.
        private static func name(
            _ organization: String,
            of tenant: String,
            _ dialect: DialectName,
            _ world: World
        ) async throws {
            guard dialect == .v2 else { return }
            let settings = #"{"pitchly": {"workspaces": ["\#(organization.dropFirst(3))"]}}"#
            _ = try await world.pool.withConnection { connection in
                try await connection.query(
                    sql: "update leasehold.tenant set settings = settings || $1::text::jsonb where tenant_id = $2",
                    settings,
                    tenant
                )
            }
        }

        /// Records that are changed, deleted, inserted and moved; the fields stay, so that what was read
        /// remains worth something.
        private static func edit(_ table: FakeTable, _ world: World, _ random: RandomSource) throws {
            var ids = try world.pitchly.records(table: table.id).map { line in
                try #require(try JSONParser.parse(line)["id"].stringValue)
            }
            func take() -> String { ids.remove(at: Int(random.next() % UInt64(ids.count))) }
            let text = try #require(table.fields.first { $0.type == .text }).id
            var edits: [TableEdit] = []
            for number in 1...20 {
                let cells = JSONObject([(text, ["val": .string("edit \(number) \(random.next())")])])
                edits.append(.update(record: take(), cells: cells))
                edits.append(.delete(record: take()))
                edits.append(.insert(cells: cells))
                edits.append(.move(record: take(), before: take()))
            }
            try world.pitchly.edit(table: table.id, edits)
        }
    }
}

extension FaultRule {
    /// Holds the request for the page of a table that comes after so many.
    fileprivate static func hold(
        _ table: FakeTable,
        after pages: Int,
        _ dialect: DialectName,
        _ gate: FaultGate
    ) -> FaultRule {
        var rule = FaultRule(.hold(gate, .before), at: dialect == .v2 ? .v2 : .graphql)
        rule.operation = dialect == .v2 ? "data" : "recordsConnection"
        rule.table = table.id
        rule.skip = pages
        return rule
    }
}
