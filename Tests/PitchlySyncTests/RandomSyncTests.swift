import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("Random edits and faults")
struct RandomSyncTests {
    /// `LEASEHOLD_PROPERTY_ROUNDS=200 LEASEHOLD_PROPERTY_SEED=7 scripts/test RandomSyncTests`
    private static let rounds = number("LEASEHOLD_PROPERTY_ROUNDS") ?? 8
    private static let seed = UInt64(number("LEASEHOLD_PROPERTY_SEED") ?? 1)

    /// Small pages and few records: what is tried is the order of events, not the size.
    private static func options(_ types: [FieldType]) -> SyncWorld.Options {
        SyncWorld.Options {
            $0.settings.pageSize = 20
            $0.fake.data.recordsPerTable = 70...90
            $0.fake.data.fieldTypes = types
        }
    }

    @Test(
        "leave a mirror that is equal to its source, and an outbox that rebuilds it",
        arguments: [
            FieldType.allCases,
            // These allow incremental runs.
            [.text, .number, .dropdownMultiple, .date, .currency, .updatedAt],
        ]
    )
    func converges(types: [FieldType]) async throws {
        try await SyncWorld.withWorld(Self.options(types)) { world in
            let random = RandomSource(seed: Self.seed)
            let table = try world.tables(0)[0]
            var consumer = ChangeConsumer(tenant: world.tenant(0), table: table.id)
            for round in 0..<Self.rounds {
                let script = RandomScript(random: random, round: round)
                try await script.run(world, table)
                try await world.expectMirror(of: table, tenant: 0)
                try await consumer.follow(world, random)
                let mirror = try await world.mirror(of: table, tenant: 0)
                #expect(consumer.records == mirror, "seed \(Self.seed), round \(round)")
                guard consumer.records == mirror else { return }
            }
            #expect(script(of: world) > 0, "no fault hit anything: the test tested nothing")
        }
    }

    private func script(of world: SyncWorld) -> Int {
        world.server.requests.entries().count { !$0.faults.isEmpty }
    }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}

/// One round: edits before and in the middle of syncs that meet faults and are killed, then one
/// sync that meets none.
private struct RandomScript {
    let random: RandomSource
    let round: Int

    func run(_ world: SyncWorld, _ table: FakeTable) async throws {
        try edit(world, table)
        setFaults(world)
        // One job, claimed again and again; each claim may die after some pages.
        for claim in 1...Int64(3 + draw(6)) {
            let outcome = try await runClaim(world, table, claim)
            if draw(2) == 0 { try edit(world, table) }
            if outcome == .completed { break }
        }
        world.server.faults.removeAll()
        let job = Int64(1_000_000 + round)
        var outcome: JobOutcome?
        // The first takes over what is half read, from before the last edits; the second reads anew.
        for run in 1...2 { outcome = try await world.sync(table, of: 0, job: job, run: Int64(run)) }
        #expect(outcome == .completed, "round \(round)")
    }

    private func runClaim(_ world: SyncWorld, _ table: FakeTable, _ claim: Int64) async throws -> JobOutcome? {
        let context = world.context(0, args: #"{"table":"\#(table.id)"}"#, job: Int64(round + 1), run: claim)
        let pagesToLive = draw(3) == 0 ? draw(4) : Int.max
        let pages = PageCounter()
        let mortal = SyncContext(
            tenant: context.tenant,
            job: context.job,
            run: context.run,
            args: context.args,
            logger: context.logger
        ) { _ in
            if await pages.next() > pagesToLive { throw CancellationError() }
        }
        do {
            return try await world.jobs.syncTable(mortal)
        } catch is CancellationError {
            return nil
        }
    }

    private func edit(_ world: SyncWorld, _ table: FakeTable) throws {
        try world.server.editAtRandom(table: table.id, count: 1 + draw(25), seed: random.next())
    }

    private func setFaults(_ world: SyncWorld) {
        for fault in [
            .answer(.init(status: 429, retryAfter: .seconds(0)), .before),
            .answer(.init(status: 503, body: .html), .before),
            .cut(.body(after: 200)), .cut(.chunkedBody(after: 2000)), .close(.after, isReset: true),
            .graphQL(.malformedJSON),
            .graphQL(.expiredCursor), .graphQL(.unauthenticated(invalidates: true)), .graphQL(.emptyPage),
            .graphQL(.errors(["INTERNAL_SERVER_ERROR"], keepsData: true)),
        ] as [Fault] where draw(3) == 0 {
            var rule = FaultRule(fault, at: .graphql)
            rule.probability = random.uniform(in: 0.05...0.5)
            rule.seed = random.next()
            rule.count = 1 + draw(4)
            world.server.faults.add(rule)
        }
    }

    private func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }

    private actor PageCounter {
        private var count = 0

        func next() -> Int {
            count += 1
            return count
        }
    }
}

/// A downstream service that keeps a copy by following the outbox, and that dies at random between
/// applying changes and noting how far it came.
private struct ChangeConsumer {
    let tenant: TenantID
    let table: String
    private(set) var records: [String: NSDictionary] = [:]
    private var position: Int64 = 0

    init(tenant: TenantID, table: String) {
        self.tenant = tenant
        self.table = table
    }

    mutating func follow(_ world: SyncWorld, _ random: RandomSource) async throws {
        while true {
            let limit = Int32(1 + random.next() % 40)
            let changes = try await changes(world, limit)
            guard let last = changes.last else { return }
            let positions = try changes.map { try $0.decode("position", as: Int64.self) }
            #expect(positions == Array(position + 1...position + Int64(changes.count)), "positions have gaps")
            for row in changes {
                let id = try row.decode("record_id", as: String.self)
                if try row.decode("fields", as: PostgresJSON?.self) == nil {
                    records[id] = nil
                }
            }
            try records.merge(
                SyncWorld.records(changes.filter { try $0.decode("fields", as: PostgresJSON?.self) != nil })
            ) {
                $1
            }
            // Killed here, it applies the same changes once more.
            if random.next() % 3 != 0 { position = try last.decode("position", as: Int64.self) }
        }
    }

    private func changes(_ world: SyncWorld, _ limit: Int32) async throws -> PostgresRows {
        try await world.pool.withConnection { connection in
            try await connection.query(
                sql: "select * from leasehold.mirror_changes($1, $2, $3, $4)",
                tenant.rawValue,
                table,
                position,
                limit
            )
        }
    }
}
