import FakePitchly
import JobQueue
import LeaseholdCore
import Pitchly
import TestSupport
import Testing

@testable import PitchlySync

@Suite("A consumer of a mirror's changes")
struct ChangeConsumerTests {
    @Test("that is killed at random, while syncs go on, rebuilds exactly the same table")
    func rebuilds() async throws {
        let options = SyncWorld.Options {
            $0.fake.data.recordsPerTable = 30...40
            $0.fake.data.fieldTypes = [.text, .number, .attachment]
            $0.settings.keepChanges = .seconds(1_000_000)
        }
        try await SyncWorld.withWorld(options) { world in
            let random = RandomSource(seed: RandomSyncTests.seed)
            let table = try world.tables(0)[0]
            let consumer = ChangeConsumer(
                pool: world.pool,
                tenant: world.tenant(0),
                table: world.id(of: table),
                random: random
            )
            try await consumer.prepare()
            var (kills, copies) = (0, 0)
            for round in 1...50 {
                try world.server.editAtRandom(table: table.id, count: 1 + Int(random.next() % 40), seed: random.next())
                async let following = consumer.catchUp()
                #expect(try await world.sync(table, of: 0) == .completed)
                let meanwhile = try await following
                if random.next() % 4 == 0 {
                    // As if everything so far were too old to be kept.
                    _ = try await world.rows(
                        "update leasehold.mirror_change set changed_at = now() - interval '1 year'"
                    )
                    try await world.jobs.prune()
                }
                let afterwards = try await consumer.catchUp()
                kills += meanwhile.kills + afterwards.kills
                copies += meanwhile.copies + afterwards.copies
                let differences = try await consumer.differences()
                #expect(differences == 0, "LEASEHOLD_PROPERTY_SEED=\(RandomSyncTests.seed), round \(round)")
                guard differences == 0 else { return }
            }
            #expect(kills > 10 && copies > 0, "\(kills) kills, \(copies) copies: too little happened")
        }
    }
}
