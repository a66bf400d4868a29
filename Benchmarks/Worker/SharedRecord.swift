import Synchronization

#if canImport(Glibc)
import Glibc
#else
import Darwin
#endif

/// The memory that all workers of a benchmark share with it; `Benchmarks/bench/record.py` has the
/// layout. Times are CLOCK_MONOTONIC in nanoseconds.
final class SharedRecord: Sendable {
    /// Words of this worker's slot, in their order.
    private enum Word: Int {
        case ready, started, firstStart, finished, lastFinish, smallFinished, smallLastFinish, running, mostRunning
        case failed
    }

    private static let magic: UInt64 = 0x4C53_4842
    private static let headerWords = 16
    private static let slotWords = 16
    private static let slots = 64

    /// The mapping lives as long as the process.
    private struct Words: @unchecked Sendable {
        let base: UnsafeMutablePointer<UInt64>
    }

    private let words: Mutex<Words>
    private let slotAt: Int
    private let capacity: Int

    /// - Throws: ``RecordError`` if the file is not a record or has no such slot.
    init(path: String, slot: Int) throws {
        guard (0..<Self.slots).contains(slot) else { throw RecordError.slotOutOfRange(slot) }
        let file = open(path, O_RDWR)
        guard file >= 0 else { throw RecordError.notOpened(path, errno) }
        defer { close(file) }
        let size = Int(lseek(file, 0, SEEK_END))
        let mapped = mmap(nil, size, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0)
        guard let mapped, mapped != MAP_FAILED else { throw RecordError.notOpened(path, errno) }
        let base = mapped.assumingMemoryBound(to: UInt64.self)
        guard base[0] == Self.magic else { throw RecordError.notARecord(path) }
        capacity = Int(base[1])
        slotAt = Self.headerWords + slot * Self.slotWords
        base[slotAt + Word.running.rawValue] = 0
        words = Mutex(Words(base: base))
    }

    /// Tells the benchmark that this worker is connected.
    func ready() {
        words.withLock { $0.base[slotAt + Word.ready.rawValue] = 1 }
    }

    /// The benchmark has let the workers start.
    var mayGo: Bool { words.withLock { $0.base[2] == 1 } }

    /// A handler starts.
    func start(sequence: Int? = nil) {
        let now = Self.now()
        words.withLock { words in
            let slot = words.base + slotAt
            if slot[Word.firstStart.rawValue] == 0 { slot[Word.firstStart.rawValue] = now }
            slot[Word.started.rawValue] += 1
            slot[Word.running.rawValue] += 1
            let running = slot[Word.running.rawValue]
            if running > slot[Word.mostRunning.rawValue] { slot[Word.mostRunning.rawValue] = running }
            if let sequence { note(words.base, array: 2, sequence) { $0 == 0 ? now : $0 } }
        }
    }

    /// A handler ends; `small` says that its tenant is not the large one.
    func finish(sequence: Int? = nil, small: Bool = false) {
        let now = Self.now()
        words.withLock { words in
            let slot = words.base + slotAt
            slot[Word.finished.rawValue] += 1
            slot[Word.lastFinish.rawValue] = now
            slot[Word.running.rawValue] -= 1
            if small {
                slot[Word.smallFinished.rawValue] += 1
                slot[Word.smallLastFinish.rawValue] = now
            }
            if let sequence { note(words.base, array: 3, sequence) { $0 + 1 } }
        }
    }

    /// A handler starts; its latency goes round in the array of starts, in microseconds.
    func startMeasured(enqueuedAt: Int) {
        let latency = Self.microsecondsSince(enqueuedAt)
        words.withLock { words in
            let slot = words.base + slotAt
            let place = Int(slot[Word.started.rawValue]) % max(1, capacity)
            note(words.base, array: 2, place) { _ in latency }
            slot[Word.started.rawValue] += 1
            slot[Word.running.rawValue] += 1
        }
    }

    /// A handler ends; its latency goes round in the last array, with the tag in the highest byte.
    func finishMeasured(enqueuedAt: Int, tag: UInt8) {
        let latency = Self.microsecondsSince(enqueuedAt) | UInt64(tag) << 56
        words.withLock { words in
            let slot = words.base + slotAt
            let place = Int(slot[Word.finished.rawValue]) % max(1, capacity)
            note(words.base, array: 3, place) { _ in latency }
            slot[Word.finished.rawValue] += 1
            slot[Word.running.rawValue] -= 1
        }
    }

    /// A handler fails on purpose.
    func fail() {
        words.withLock { $0.base[slotAt + Word.failed.rawValue] += 1 }
    }

    private func note(
        _ base: UnsafeMutablePointer<UInt64>,
        array: Int,
        _ sequence: Int,
        _ change: (UInt64) -> UInt64
    ) {
        guard (0..<capacity).contains(sequence) else { return }
        let place = Self.headerWords + Self.slots * Self.slotWords + array * capacity + sequence
        base[place] = change(base[place])
    }

    private static func now() -> UInt64 { nanoseconds(CLOCK_MONOTONIC) }

    /// By the wall clock, since the time was noted by another process, perhaps on another machine.
    private static func microsecondsSince(_ time: Int) -> UInt64 {
        UInt64(max(0, Int(nanoseconds(CLOCK_REALTIME) / 1000) - time))
    }

    private static func nanoseconds(_ clock: clockid_t) -> UInt64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
    }
}

/// A record that cannot be used.
enum RecordError: Error, CustomStringConvertible {
    case notOpened(String, Int32)
    case notARecord(String)
    case slotOutOfRange(Int)

    var description: String {
        switch self {
        case .notOpened(let path, let code): "expected the shared record \(path), got error \(code) opening it"
        case .notARecord(let path): "expected a shared record made by scripts/bench, got another file: \(path)"
        case .slotOutOfRange(let slot): "expected a slot from 0 to 63, got \(slot)"
        }
    }
}
