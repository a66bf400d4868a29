import FakePitchly
import JobQueue
import LeaseholdCore
import Pitchly
import Synchronization

@testable import PitchlySync

/// One round: edits before and in the middle of syncs that meet faults and are killed, then one sync
/// that meets none.
final class RandomScript: Sendable {
    private let random: RandomSource
    private let round: Int
    private let isIncremental: Bool
    private let events = Mutex<[String]>([])

    /// - Parameter isIncremental: edits leave a table that can be read by its Updated At field.
    init(random: RandomSource, round: Int, isIncremental: Bool) {
        self.random = random
        self.round = round
        self.isIncremental = isIncremental
    }

    /// Everything that can happen to a request of either dialect.
    static let faults: [Fault] = [
        .answer(.init(status: 429, retryAfter: .seconds(0)), .before),
        .answer(.init(status: 503, body: .html), .before),
        .cut(.body(after: 200)), .cut(.chunkedBody(after: 2000)), .close(.after, isReset: true),
        .graphQL(.malformedJSON), .graphQL(.expiredCursor), .graphQL(.unauthenticated(invalidates: true)),
        .graphQL(.emptyPage), .graphQL(.errors(["INTERNAL_SERVER_ERROR"], keepsData: true)),
    ]

    /// What happened, in order.
    var account: String { events.withLock { $0.joined(separator: "; ") } }

    /// - Returns: the outcome of the last sync, which met no fault.
    func run(_ world: SyncWorld, _ table: FakeTable) async throws -> JobOutcome {
        try edit(world, table)
        setFaults(world)
        // One job, claimed again and again; each claim may die at any request or after any page.
        for claim in 1...Int64(1 + draw(4)) {
            let outcome = try await runClaim(world, table, claim)
            if outcome == .completed { break }
            if draw(2) == 0 { try edit(world, table) }
        }
        world.server.faults.removeAll()
        let job = Int64(1_000_000 + round)
        let halfRead = try await world.rows("select 1 from leasehold.sync_run where state = 'reading'")
        if !halfRead.isEmpty {
            // Another job takes over what was read before the last edits.
            let outcome = try await world.sync(table, of: 0, job: job, run: 1)
            guard outcome == .completed else { return outcome }
        }
        return try await world.sync(table, of: 0, job: job, run: 2)
    }

    /// - Returns: nil for a claim that was killed.
    private func runClaim(_ world: SyncWorld, _ table: FakeTable, _ claim: Int64) async throws -> JobOutcome? {
        world.fuse.light(requests: draw(3) == 0 ? draw(6) : nil)
        defer { world.fuse.light(requests: nil) }
        let pages = Atomic(draw(4) == 0 ? draw(4) : Int.max)
        let context = world.context(0, args: world.args(table), job: Int64(round), run: claim) { [self] in
            if draw(4) == 0 { try edit(world, table) }
            if pages.subtract(1, ordering: .relaxed).newValue < 0 { throw CancellationError() }
        }
        do {
            let outcome = try await world.jobs.syncTable(context)
            note("claim \(claim): \(outcome)")
            return outcome
        } catch is CancellationError {
            note("claim \(claim): killed")
            return nil
        }
    }

    private func edit(_ world: SyncWorld, _ table: FakeTable) throws {
        world.server.clock.advance(by: .seconds(1))
        if table.recordCount > 45 {
            // Edits insert more than they delete.
            let ids = try world.server.records(table: table.id).map(TableSyncTests.id)
            try world.server.edit(
                table: table.id,
                stride(from: draw(2), to: ids.count, by: 2).map { .delete(record: ids[$0]) }
            )
            note("every second record deleted")
        }
        let edits = try world.server.editAtRandom(table: table.id, count: 1 + draw(25), seed: random.next())
        note("\(edits.count) edits")
        if isIncremental { try allowIncremental(world, table) }
    }

    private func allowIncremental(_ world: SyncWorld, _ table: FakeTable) throws {
        var edits = table.fields.filter { Self.derived.contains($0.type) }
            .map { TableEdit.retypeField($0.id, type: .number) }
        if !table.fields.contains(where: { $0.type == .updatedAt }) {
            edits.append(.addField(name: "Updated At", type: .updatedAt))
        }
        try world.server.edit(table: table.id, edits)
    }

    private static let derived: [FieldType] = [.lookup, .rollup, .formula, .reference, .referenceMultiple]

    private func setFaults(_ world: SyncWorld) {
        for fault in Self.faults where draw(3) == 0 {
            var rule = FaultRule(fault, at: world.endpoint)
            rule.probability = random.uniform(in: 0.05...0.5)
            rule.seed = random.next()
            rule.count = 1 + draw(4)
            world.server.faults.add(rule)
            note("\(fault) at \(rule.probability)")
        }
    }

    private func note(_ event: String) { events.withLock { $0.append(event) } }

    private func draw(_ bound: Int) -> Int { Int(random.next() % UInt64(bound)) }
}
