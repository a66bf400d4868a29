import Dispatch
import Foundation
package import LeaseholdCore

extension DirectorySpool {
    package func adoptOrphans() {
        let own = Set(files.values.map(\.path))
        for path in spoolPaths() where !own.contains(path) {
            if let file = SpoolFile.adopt(path) { take(file) }
        }
    }

    package func find(_ tenant: TenantID, generation: Int64, everywhere: Bool) -> [SpoolRecord] {
        let own = (attempts[tenant] ?? []).filter { kept[$0]?.summary.generation == generation }.compactMap {
            record($0)
        }
        guard everywhere else { return own }
        return own + othersRecords().filter { $0.tenant == tenant && $0.generation == generation }
    }

    package func sealingKeys() -> [String: Int] {
        expire()
        let ids = kept.values.map(\.keyID) + othersRecords().map { Sealer.keyID(of: $0.sealed) }
        return ids.compactMap(\.self).reduce(into: [:]) { $0[$1, default: 0] += 1 }
    }

    /// What living workers keep in the same directory.
    private func othersRecords() -> [SpoolRecord] {
        let own = Set(files.values.map(\.path))
        return spoolPaths().filter { !own.contains($0) }.compactMap { SpoolFile.peek($0) }.flatMap { file in
            (1...file.slotCount).compactMap { file.record(at: $0)?.record }.filter { !isExpired($0.writtenAt) }
        }
    }

    private func spoolPaths() -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []
        return names.filter { $0.hasSuffix(SpoolFile.suffix) }.sorted().map { "\(path)/\($0)" }
    }

    func grow() throws {
        add(try SpoolFile.create(in: path, slotLength: settings.slotLength, slotCount: settings.slotsPerFile))
    }

    /// Makes the next file before the last slot is taken, and off this actor's thread: writing it out takes
    /// tens of milliseconds, in which no reply could be kept. If it fails, ``grow()`` will say why.
    func growAhead() {
        let (path, settings) = (path, settings)
        let taken = reserved.values.reduce(kept.count) { $0 + $1.count }
        guard !isGrowing, taken + free.count + settings.slotsPerFile <= settings.capacity else { return }
        isGrowing = true
        DispatchQueue.global(qos: .utility).async { [weak self] in
            let file = try? SpoolFile.create(
                in: path,
                slotLength: settings.slotLength,
                slotCount: settings.slotsPerFile
            )
            // Back on the actor; nobody waits for this, and there is nothing to cancel.
            Task { [weak self] in await self?.didGrow(file) }
        }
    }

    private func didGrow(_ file: SpoolFile?) {
        isGrowing = false
        if let file { add(file) }
    }

    private func add(_ file: SpoolFile) {
        nextFile += 1
        files[nextFile] = file
        for slot in (1...file.slotCount).reversed() { free.append(Place(file: nextFile, slot: slot)) }
    }

    /// - Returns: the first slot of the new file.
    func addFile(slotLength: Int, slotCount: Int) throws -> Place {
        let file = try SpoolFile.create(in: path, slotLength: slotLength, slotCount: slotCount)
        nextFile += 1
        files[nextFile] = file
        return Place(file: nextFile, slot: 1)
    }

    private func take(_ file: SpoolFile) {
        nextFile += 1
        files[nextFile] = file
        var found: [(place: Place, record: SpoolRecord, isSettled: Bool)] = []
        for slot in 1...file.slotCount {
            let place = Place(file: nextFile, slot: slot)
            if let (record, isSettled) = file.record(at: slot), !isExpired(record.writtenAt) {
                found.append((place, record, isSettled))
            } else if file.slotLength == settings.slotLength {
                free.append(place)
            }
        }
        for entry in found.sorted(by: { $0.record.writtenAt < $1.record.writtenAt }) {
            keep(entry.record, isSettled: entry.isSettled, at: entry.place)
        }
        if found.isEmpty, file.slotLength != settings.slotLength { remove(nextFile) }
    }

    /// Takes a file off the disk.
    func remove(_ number: Int) {
        guard let file = files.removeValue(forKey: number) else { return }
        unlink(file.path)
        free.removeAll { $0.file == number }
    }

    private func isExpired(_ writtenAt: Date) -> Bool {
        clock.now().timeIntervalSince(writtenAt) > settings.retention.seconds
    }

    /// Frees the slots of records past the retention.
    func expire() {
        var gone = 0
        for attempt in order {
            guard let entry = kept[attempt] else {
                gone += 1
                continue
            }
            guard isExpired(entry.summary.writtenAt) else { break }
            drop(attempt)
            gone += 1
        }
        order.removeFirst(gone)
    }

    func evictOldestSettled() throws {
        guard let attempt = order.first(where: { kept[$0]?.summary.isSettled == true }) else {
            throw SpoolError.full(path, capacity: settings.capacity)
        }
        drop(attempt)
        if free.isEmpty { try grow() }
    }

    func drop(_ attempt: UUID) {
        guard let entry = kept.removeValue(forKey: attempt) else { return }
        attempts[entry.summary.tenant]?.remove(attempt)
        if attempts[entry.summary.tenant]?.isEmpty == true { attempts[entry.summary.tenant] = nil }
        try? files[entry.place.file]?.clear(entry.place.slot)
        give(back: entry.place)
    }

    /// Waits until what was written to a file before this call is on the disk. Calls that come while
    /// one `fdatasync` runs share the next, which the first of them makes.
    ///
    /// - Returns: 0, or the error number.
    func synced(_ number: Int) async -> Int32 {
        var followers: [SyncWaiter] = []
        if !syncing.insert(number).inserted {
            switch await withCheckedContinuation({ waitingForSync[number, default: []].append($0) }) {
            case .done(let failure): return failure
            case .lead(let others): followers = others
            }
        }
        let failure = await sync(number)
        for follower in followers { follower.resume(returning: .done(failure)) }
        var waiting = waitingForSync.removeValue(forKey: number) ?? []
        if waiting.isEmpty {
            syncing.remove(number)
        } else {
            let leader = waiting.removeFirst()
            leader.resume(returning: .lead(waiting))
        }
        return failure
    }

    private func sync(_ number: Int) async -> Int32 {
        guard let descriptor = files[number]?.descriptor else { return EBADF }
        syncCount += 1
        // Off this actor's thread, so that others can write meanwhile.
        return await withCheckedContinuation { continuation in
            DispatchQueue.global(qos: .userInitiated).async {
                continuation.resume(returning: SpoolFile.syncData(descriptor))
            }
        }
    }
}

/// A write that waits for the disk.
typealias SyncWaiter = CheckedContinuation<SyncTurn, Never>

enum SyncTurn: Sendable {
    case done(Int32)
    /// Make the next `fdatasync`, also for these.
    case lead([SyncWaiter])
}
