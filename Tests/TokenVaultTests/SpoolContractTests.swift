import Foundation
import LeaseholdCore
import TestSupport
import Testing

@testable import TokenVault

/// What every spool promises; run for each kind of spool.
@Suite struct SpoolContractTests {
    enum Kind: CaseIterable, Sendable {
        case directory
        case mirrored
        case mirroredWithABrokenCopy
    }

    private struct World {
        let spool: any SpoolStore
        let paths: [String]
        let clock: ManualWallClock
        let reopen: () async throws -> any SpoolStore
    }

    private func world(_ kind: Kind, capacity: Int = 100) async throws -> World {
        var settings = DirectorySpool.Settings()
        settings.slotsPerFile = 4
        settings.capacity = capacity
        let clock = ManualWallClock()
        let paths = [try TemporaryFolder.make(), try TemporaryFolder.make()]
        let log = CapturedLog().logger()
        func open() async throws -> any SpoolStore {
            let first = try await DirectorySpool.open(path: paths[0], settings: settings, clock: clock)
            switch kind {
            case .directory: return first
            case .mirrored:
                let second = try await DirectorySpool.open(path: paths[1], settings: settings, clock: clock)
                return MirroredSpool(first, second, logger: log)
            case .mirroredWithABrokenCopy: return MirroredSpool(BrokenSpool(), first, logger: log)
            }
        }
        return World(spool: try await open(), paths: paths, clock: clock, reopen: open)
    }

    private func record(
        _ tenant: String = "acme",
        generation: Int64 = 1,
        at clock: ManualWallClock,
        bytes: Int = 300
    ) throws -> SpoolRecord {
        SpoolRecord(
            tenant: try TenantID(tenant),
            generation: generation,
            attempt: UUID(),
            writtenAt: clock.now(),
            sealed: [1, 3] + Array("key".utf8) + (0..<bytes).map { UInt8(truncatingIfNeeded: $0) }
        )
    }

    @Test(arguments: Kind.allCases) func findsWhatWasWritten(kind: Kind) async throws {
        let world = try await world(kind)
        let record = try record(at: world.clock)
        try await world.spool.reserve(record.attempt)
        try await world.spool.write(record)
        #expect(await world.spool.record(record.attempt) == record)
        #expect(await world.spool.find(record.tenant, generation: 1, everywhere: false) == [record])
        #expect(await world.spool.find(record.tenant, generation: 2, everywhere: true).isEmpty)
        #expect(await world.spool.find(try TenantID("other"), generation: 1, everywhere: true).isEmpty)
        #expect(await world.spool.sealingKeys() == ["key": 1])
    }

    @Test(arguments: Kind.allCases) func aReplyTakesThePlaceOfItsClaim(kind: Kind) async throws {
        let world = try await world(kind)
        let claim = try record(at: world.clock)
        let reply = SpoolRecord(
            tenant: claim.tenant,
            generation: claim.generation,
            attempt: claim.attempt,
            writtenAt: claim.writtenAt,
            sealed: claim.sealed + [1, 2, 3]
        )
        try await world.spool.reserve(claim.attempt)
        try await world.spool.write(claim)
        #expect(await world.spool.find(claim.tenant, generation: 1, everywhere: true) == [claim])
        try await world.spool.write(reply)
        #expect(await world.spool.find(claim.tenant, generation: 1, everywhere: true) == [reply])
        await #expect(throws: SpoolError.self) { try await world.spool.write(reply) }
        #expect(await world.spool.record(claim.attempt) == reply)
    }

    @Test(arguments: Kind.allCases) func nothingIsWrittenWithoutAReservation(kind: Kind) async throws {
        let world = try await world(kind)
        await #expect(throws: SpoolError.self) { try await world.spool.write(try record(at: world.clock)) }
    }

    @Test(arguments: Kind.allCases) func aReplyLongerThanASlotIsKeptToo(kind: Kind) async throws {
        let world = try await world(kind)
        let record = try record(at: world.clock, bytes: 100_000)
        try await world.spool.reserve(record.attempt)
        try await world.spool.write(record)
        #expect(await world.spool.record(record.attempt) == record)
        await world.spool.discard(record.attempt)
        #expect(await world.spool.record(record.attempt) == nil)
    }

    @Test(arguments: Kind.allCases) func recordsSurviveTheirWorker(kind: Kind) async throws {
        var world: World? = try await world(kind)
        let clock = try #require(world).clock
        let reopen = try #require(world).reopen
        let (kept, settled) = (try record(at: clock), try record("other", at: clock))
        let long = try record("long", at: clock, bytes: 20_000)
        for record in [kept, settled, long] {
            try await world?.spool.reserve(record.attempt)
            try await world?.spool.write(record)
        }
        await world?.spool.settle(settled.attempt)
        world = nil
        let next = try await reopen()
        let found = await next.summaries().sorted { $0.tenant < $1.tenant }
        #expect(found.map(\.attempt) == [kept.attempt, long.attempt, settled.attempt])
        #expect(found.map(\.isSettled) == [false, false, true])
        #expect(await next.record(kept.attempt) == kept)
        #expect(await next.record(long.attempt) == long)
    }

    @Test(arguments: Kind.allCases) func recordsAreKeptForADayAndNoLonger(kind: Kind) async throws {
        let world = try await world(kind)
        let record = try record(at: world.clock)
        try await world.spool.reserve(record.attempt)
        try await world.spool.write(record)
        await world.spool.settle(record.attempt)
        world.clock.advance(by: .seconds(86_399))
        #expect(await world.spool.summaries().count == 1)
        world.clock.advance(by: .seconds(2))
        #expect(await world.spool.summaries().isEmpty)
        #expect(await world.spool.sealingKeys().isEmpty)
    }

    @Test(arguments: Kind.allCases) func settledRecordsMakeRoomAndOthersDoNot(kind: Kind) async throws {
        // Three records, and one place of the two that the next attempt wants.
        let world = try await world(kind, capacity: 4)
        var records: [SpoolRecord] = []
        for index in 0..<3 {
            let record = try record("t\(index)", at: world.clock)
            try await world.spool.reserve(record.attempt)
            try await world.spool.write(record)
            await world.spool.release(record.attempt)
            records.append(record)
        }
        await #expect(throws: SpoolError.self) { try await world.spool.reserve(UUID()) }
        await world.spool.settle(records[2].attempt)
        try await world.spool.reserve(UUID())
        #expect(await world.spool.record(records[2].attempt) == nil)
        for index in [0, 1] { #expect(await world.spool.record(records[index].attempt) == records[index]) }
    }

    @Test(arguments: Kind.allCases) func aReleasedReservationMakesRoom(kind: Kind) async throws {
        let world = try await world(kind, capacity: 2)
        for _ in 0..<10 {
            let attempt = UUID()
            try await world.spool.reserve(attempt)
            await world.spool.release(attempt)
        }
    }

    @Test(arguments: Kind.allCases) func concurrentWritesShareTheDisk(kind: Kind) async throws {
        let world = try await world(kind, capacity: 500)
        let records = try (0..<200).map { try record("t\($0)", at: world.clock) }
        let spool = world.spool
        await withTaskGroup(of: Bool.self) { group in
            for record in records {
                group.addTask {
                    do {
                        try await spool.reserve(record.attempt)
                        try await spool.write(record)
                        return await spool.record(record.attempt) == record
                    } catch {
                        return false
                    }
                }
            }
            for await isKept in group { #expect(isKept) }
        }
        #expect(await world.spool.summaries().count == 200)
    }
}

/// A disk that is gone.
struct BrokenSpool: SpoolStore {
    private var error: SpoolError { .system("/gone", "write", EIO) }

    func reserve(_ attempt: UUID) throws { throw error }
    func write(_ record: SpoolRecord) throws { throw error }
    func release(_ attempt: UUID) {}
    func discard(_ attempt: UUID) {}
    func settle(_ attempt: UUID) {}
    func summaries() -> [SpoolSummary] { [] }
    func record(_ attempt: UUID) -> SpoolRecord? { nil }
    func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) -> [SpoolRecord] { [] }
    func adoptOrphans() {}
    func sealingKeys() -> [String: Int] { [:] }
}
