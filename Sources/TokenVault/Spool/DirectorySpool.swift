package import Foundation
package import LeaseholdCore

/// A spool in a directory of this machine, shared by the workers that run on it.
///
/// Each worker holds files of its own through `flock`; a file whose worker has died is adopted by
/// another. Files are made of preallocated slots, so that writing a reply needs no free space. One
/// write costs one `pwrite` and one `fdatasync`, which concurrent writes share.
package actor DirectorySpool: SpoolStore {
    package struct Settings: Sendable {
        /// Bytes of a slot; a longer reply gets a file of its own. Default 8 KiB.
        package var slotLength = 8192
        /// Slots by which the spool grows. Default 256 (2 MiB).
        package var slotsPerFile = 256
        /// Most replies kept; beyond it the oldest settled ones make room early. Default 131 072 (1 GiB).
        package var capacity = 131_072
        /// How long a reply is kept: longer than a failover or a restore takes to come to light. Default 24 h.
        package var retention: Duration = .seconds(86_400)

        package init() {}
    }

    /// Where a record lies.
    struct Place: Hashable {
        let file: Int
        let slot: Int
    }

    struct Kept {
        var summary: SpoolSummary
        let place: Place
        let keyID: String?
    }

    /// The claim and the reply.
    private static let placesPerAttempt = 2

    let path: String
    let settings: Settings
    let clock: any WallClock
    private let executor = SpoolExecutor()
    var files: [Int: SpoolFile] = [:]
    var nextFile = 0
    var free: [Place] = []
    var reserved: [UUID: [Place]] = [:]
    var kept: [UUID: Kept] = [:]
    var attempts: [TenantID: Set<UUID>] = [:]
    /// Attempts in the order they were written, for expiry; may name some that are gone.
    var order: [UUID] = []
    /// `fdatasync` calls so far: at most two an exchange, fewer when writes share one.
    package internal(set) var syncCount = 0
    /// A file is being made before it is needed.
    var isGrowing = false
    var syncing: Set<Int> = []
    var waitingForSync: [Int: [SyncWaiter]] = [:]

    package nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    private init(path: String, settings: Settings, clock: any WallClock) {
        self.path = path
        self.settings = settings
        self.clock = clock
    }

    /// Makes the directory if there is none, takes over what dead workers left, and keeps one file ready.
    ///
    /// - Throws: ``SpoolError``, also if anybody but the owner may enter the directory.
    package static func open(
        path: String,
        settings: Settings = Settings(),
        clock: any WallClock = SystemWallClock()
    ) async throws -> DirectorySpool {
        let spool = DirectorySpool(path: path, settings: settings, clock: clock)
        try await spool.start()
        return spool
    }

    private func start() throws {
        try secureDirectory()
        adoptOrphans()
        if free.isEmpty { try grow() }
    }

    private func secureDirectory() throws(SpoolError) {
        if mkdir(path, 0o700) != 0, errno != EEXIST { throw .system(path, "create", errno) }
        var facts = stat()
        guard stat(path, &facts) == 0 else { throw .system(path, "read", errno) }
        guard facts.st_mode & 0o077 == 0 else { throw .exposed(path, permissions: UInt32(facts.st_mode)) }
        try SpoolFile.syncDirectory(path)
    }

    package func reserve(_ attempt: UUID) throws {
        for _ in 0..<Self.placesPerAttempt {
            do {
                try makeRoom()
            } catch {
                release(attempt)
                throw error
            }
            reserved[attempt, default: []].append(free.removeLast())
        }
        if free.count < settings.slotsPerFile / 2 { growAhead() }
    }

    private func makeRoom() throws {
        if free.isEmpty { expire() }
        guard free.isEmpty else { return }
        let taken = reserved.values.reduce(kept.count) { $0 + $1.count }
        if taken < settings.capacity {
            try grow()
        } else {
            try evictOldestSettled()
        }
    }

    package func write(_ record: SpoolRecord) async throws {
        guard let place = reserved[record.attempt]?.popLast() else { throw SpoolError.notReserved(path) }
        let bytes = SlotFormat.encode(record)
        guard bytes.count < SlotFormat.longestContent else {
            free.append(place)
            throw SpoolError.tooLong(path, length: bytes.count)
        }
        var target = place
        if bytes.count > settings.slotLength {
            free.append(place)
            target = try addFile(slotLength: (bytes.count + 4095) & ~4095, slotCount: 1)
        }
        guard let file = files[target.file] else { throw SpoolError.notReserved(path) }
        do {
            try file.write(bytes, at: target.slot)
            let failure = await synced(target.file)
            guard failure == 0 else { throw SpoolError.system(file.path, "sync", failure) }
        } catch {
            give(back: target)
            throw error
        }
        drop(record.attempt)
        keep(record, isSettled: false, at: target)
    }

    package func release(_ attempt: UUID) {
        for place in reserved.removeValue(forKey: attempt) ?? [] { give(back: place) }
    }

    package func discard(_ attempt: UUID) { drop(attempt) }

    package func settle(_ attempt: UUID) {
        guard let entry = kept[attempt], !entry.summary.isSettled else { return }
        kept[attempt]?.summary.isSettled = true
        // Losing this mark costs a replay that changes nothing.
        try? files[entry.place.file]?.markSettled(entry.place.slot)
    }

    package func summaries() -> [SpoolSummary] {
        expire()
        return kept.values.map(\.summary)
    }

    package func record(_ attempt: UUID) -> SpoolRecord? {
        guard let place = kept[attempt]?.place else { return nil }
        return files[place.file]?.record(at: place.slot)?.record
    }

    /// The index, for the files' extension.
    func keep(_ record: SpoolRecord, isSettled: Bool, at place: Place) {
        let summary = SpoolSummary(
            tenant: record.tenant,
            generation: record.generation,
            attempt: record.attempt,
            writtenAt: record.writtenAt,
            isSettled: isSettled
        )
        kept[record.attempt] = Kept(summary: summary, place: place, keyID: Sealer.keyID(of: record.sealed))
        attempts[record.tenant, default: []].insert(record.attempt)
        order.append(record.attempt)
    }

    func give(back place: Place) {
        guard let file = files[place.file] else { return }
        if file.slotLength == settings.slotLength {
            free.append(place)
        } else {
            remove(place.file)
        }
    }
}
