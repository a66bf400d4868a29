import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("Random edits and faults")
struct RandomSyncTests {
    /// `LEASEHOLD_PROPERTY_SEED=7 LEASEHOLD_PROPERTY_ROUNDS=1000 scripts/test RandomSyncTests`
    static let seed = UInt64(number("LEASEHOLD_PROPERTY_SEED") ?? 1)
    private static let rounds = number("LEASEHOLD_PROPERTY_ROUNDS") ?? 200

    struct Variant: CustomTestStringConvertible {
        let testDescription: String
        let dialect: DialectName
        /// To begin with: edits add fields of any type and change the types of others.
        var types: [FieldType] = [.text, .dropdownMultiple, .currency, .attachment, .reference, .lookup]
        /// Every table keeps fields that allow runs by Updated At.
        var isIncremental = false
    }

    @Test(
        "leave a mirror that is equal to its source",
        arguments: [
            Variant(testDescription: "platform", dialect: .platform),
            Variant(
                testDescription: "platform, by Updated At",
                dialect: .platform,
                types: [.text, .number, .dropdownMultiple, .date, .currency, .updatedAt],
                isIncremental: true
            ),
            Variant(testDescription: "v2", dialect: .v2),
        ]
    )
    func converges(variant: Variant) async throws {
        try await SyncWorld.withWorld(Self.options(variant)) { world in
            let random = RandomSource(seed: Self.seed)
            let table = try world.tables(0)[0]
            for round in 1...(variant.isIncremental ? (Self.rounds + 1) / 2 : Self.rounds) {
                let place = "LEASEHOLD_PROPERTY_SEED=\(Self.seed), round \(round)"
                let script = RandomScript(random: random, round: round, isIncremental: variant.isIncremental)
                let outcome = try await script.run(world, table)
                #expect(outcome == .completed, "\(place)")
                guard try await world.expectMirror(of: table, tenant: 0, "\(place): \(script.account)") else { return }
            }
            try await Self.expectTrials(world, variant)
        }
    }

    /// Small pages and few records: what is tried is the order of events, not the size.
    private static func options(_ variant: Variant) -> SyncWorld.Options {
        SyncWorld.Options {
            $0.dialect = variant.dialect
            $0.settings.pageSize = 10
            $0.fake.data.recordsPerTable = 20...24
            $0.fake.data.fieldTypes = variant.types
            guard variant.isIncremental else { return }
            // Short, so that a run sees little again of what the runs before have seen. The source's clock
            // stands, an hour behind ours, until the script moves it: no machine is too slow for it.
            $0.settings.overlap = .milliseconds(20)
            let hourAgo = Date(timeIntervalSince1970: (Date().timeIntervalSince1970 - 3600).rounded(.down))
            $0.fake.clock = { hourAgo }
        }
    }

    /// A property that met nothing would hold of anything.
    private static func expectTrials(_ world: SyncWorld, _ variant: Variant) async throws {
        guard Self.rounds >= 100 else { return }
        let met = Set(world.server.requests.entries().flatMap(\.faults))
        let missed = Set(RandomScript.faults.map(\.name)).subtracting(met)
        #expect(missed.isEmpty, "these were never met: \(missed.sorted())")
        let runs = try await world.rows(
            """
            select count(*) filter (where takeovers > 0) as taken, count(*) filter (where restarts > 0) as restarted,
                count(*) filter (where mode = 'incremental' and state = 'merged') as incremental,
                count(*) filter (where field_changes <> '[]') as changed
            from leasehold.sync_run
            """
        ).only
        #expect(try runs.decode("taken", as: Int.self) > 0, "no killed run was taken over")
        #expect(try runs.decode("restarted", as: Int.self) > 0, "no run began again")
        #expect(try runs.decode("changed", as: Int.self) > 0, "no field changed")
        let incremental = try runs.decode("incremental", as: Int.self)
        if variant.isIncremental {
            #expect(incremental >= Self.rounds / 8, "only \(incremental) runs were incremental")
        }
    }

    private static func number(_ name: String) -> Int? {
        ProcessInfo.processInfo.environment[name].flatMap { Int($0) }
    }
}
