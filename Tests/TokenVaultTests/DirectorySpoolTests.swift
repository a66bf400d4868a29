import Foundation
import LeaseholdCore
import TestSupport
import Testing

@testable import TokenVault

@Suite struct DirectorySpoolTests {
    private func record(_ tenant: String = "acme", generation: Int64 = 1) throws -> SpoolRecord {
        SpoolRecord(
            tenant: try TenantID(tenant),
            generation: generation,
            attempt: UUID(),
            writtenAt: ManualWallClock().now(),
            sealed: [1, 1, 65, 1, 2, 3]
        )
    }

    private func openSpool(_ path: String) async throws -> DirectorySpool {
        var settings = DirectorySpool.Settings()
        settings.slotsPerFile = 4
        return try await DirectorySpool.open(path: path, settings: settings, clock: ManualWallClock())
    }

    private func keep(_ record: SpoolRecord, in spool: DirectorySpool) async throws {
        try await spool.reserve(record.attempt)
        try await spool.write(record)
        await spool.release(record.attempt)
    }

    private func files(_ path: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: path).map { "\(path)/\($0)" }
    }

    @Test func onlyTheOwnerMayReadIt() async throws {
        let path = try TemporaryFolder.make() + "/spool"
        _ = try await openSpool(path)
        func permissions(_ path: String) throws -> Int? {
            (try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? NSNumber)?.intValue
        }
        #expect(try permissions(path) == 0o700)
        for file in try files(path) { #expect(try permissions(file) == 0o600) }
    }

    @Test func anOpenFolderIsRefusedWithWhatToDo() async throws {
        let path = try TemporaryFolder.make()
        try FileManager.default.setAttributes([.posixPermissions: 0o755], ofItemAtPath: path)
        do {
            _ = try await openSpool(path)
            Issue.record("an open folder was taken")
        } catch let error as SpoolError {
            #expect(error.label == "spool_exposed")
            #expect(error.hint == "chmod 700 \(path)")
        }
    }

    @Test func aFolderThatCannotBeMadeIsAnError() async throws {
        await #expect(throws: SpoolError.self) { _ = try await openSpool("/proc/nowhere/spool") }
    }

    @Test func itsSpaceIsTakenBeforeItIsNeeded() async throws {
        let path = try TemporaryFolder.make()
        _ = try await openSpool(path)
        var facts = stat()
        #expect(stat(try #require(try files(path).first), &facts) == 0)
        #expect(facts.st_size == 5 * 8192)
        #expect(Int(facts.st_blocks) * 512 >= 5 * 8192)
    }

    @Test func twoLivingWorkersDoNotShareAFile() async throws {
        let path = try TemporaryFolder.make()
        let (one, two) = (try await openSpool(path), try await openSpool(path))
        let record = try record()
        try await keep(record, in: one)
        await two.adoptOrphans()
        #expect(await two.summaries().isEmpty)
        #expect(await two.find(record.tenant, generation: 1, everywhere: false).isEmpty)
        #expect(await two.find(record.tenant, generation: 1, everywhere: true) == [record])
        #expect(await two.sealingKeys() == ["A": 1])
        #expect(try files(path).count == 2)
    }

    @Test func theLivingAdoptTheDead() async throws {
        let path = try TemporaryFolder.make()
        let living = try await openSpool(path)
        var dying: DirectorySpool? = try await openSpool(path)
        let record = try record()
        try await keep(record, in: try #require(dying))
        dying = nil
        await living.adoptOrphans()
        #expect(await living.record(record.attempt) == record)
    }

    @Test func aTornWriteIsNoRecord() async throws {
        let path = try TemporaryFolder.make()
        let record = try record()
        do { try await keep(record, in: try await openSpool(path)) }
        let file = try #require(try files(path).first)
        let whole = try Data(contentsOf: URL(filePath: file))
        let start = try #require(whole.range(of: Data("LHS1".utf8))).lowerBound
        let length = SlotFormat.encode(record).count
        for offset in SlotFormat.headerLength..<length {
            var torn = whole
            torn[start + offset] ^= 0x40
            try torn.write(to: URL(filePath: file))
            #expect(await (try openSpool(path)).summaries().isEmpty, "byte \(offset) of \(length)")
        }
        try whole.write(to: URL(filePath: file))
        #expect(await (try openSpool(path)).summaries().count == 1)
    }

    @Test func aForeignFileIsLeftAlone() async throws {
        let path = try TemporaryFolder.make()
        try "hello".write(toFile: "\(path)/notes.spool", atomically: false, encoding: .utf8)
        let spool = try await openSpool(path)
        try await keep(try record(), in: spool)
        #expect(try String(contentsOfFile: "\(path)/notes.spool", encoding: .utf8) == "hello")
    }

    @Test func slotsAreUsedAgain() async throws {
        let path = try TemporaryFolder.make()
        let spool = try await openSpool(path)
        for _ in 0..<50 {
            let record = try record()
            try await keep(record, in: spool)
            await spool.discard(record.attempt)
        }
        #expect(try files(path).count == 1)
    }

    @Test func aChecksumIsTheOneOfIEEE() {
        #expect(CRC32.checksum(Array("123456789".utf8)) == 0xCBF4_3926)
    }

    @Test func aFullDiskRefusesTheReservationAndNotTheReply() async throws {
        // The device has no space for any write, as a full disk has none for a new file.
        let full = open("/dev/full", O_WRONLY)
        try #require(full >= 0)
        defer { close(full) }
        do throws(SpoolError) {
            try SpoolFile.write([1], to: full, offset: 0, path: "/dev/full")
            Issue.record("wrote to a full device")
        } catch {
            #expect(error.label == "spool_unusable")
            #expect(error.hint == "free space on that disk")
        }
    }
}
