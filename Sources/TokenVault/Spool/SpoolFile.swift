import Foundation

/// One preallocated file of slots, held by one worker through `flock` for as long as it lives.
///
/// Slot 0 is the file's header: `LHSF`, slot length, number of slots. All slots exist on the disk
/// from the start, so that a write into one needs no space and no change of metadata.
final class SpoolFile: Sendable {
    let path: String
    let slotLength: Int
    /// Without the header.
    let slotCount: Int
    let descriptor: Int32

    static let suffix = ".spool"
    static let draftSuffix = ".draft"
    private static let magic = Array("LHSF".utf8)

    private init(path: String, slotLength: Int, slotCount: Int, descriptor: Int32) {
        self.path = path
        self.slotLength = slotLength
        self.slotCount = slotCount
        self.descriptor = descriptor
    }

    deinit { close(descriptor) }

    /// A new file, on the disk with all its slots and its name.
    ///
    /// It gets its name last, so that nobody adopts a half-made one.
    static func create(in directory: String, slotLength: Int, slotCount: Int) throws(SpoolError) -> SpoolFile {
        let name = UUID().uuidString.lowercased()
        let (draft, path) = ("\(directory)/\(name)\(draftSuffix)", "\(directory)/\(name)\(suffix)")
        let descriptor = open(draft, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw .system(draft, "create", errno) }
        let file = SpoolFile(path: path, slotLength: slotLength, slotCount: slotCount, descriptor: descriptor)
        do throws(SpoolError) {
            guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else { throw .system(draft, "lock", errno) }
            try file.fill()
            guard fsync(descriptor) == 0 else { throw .system(draft, "sync", errno) }
            guard rename(draft, path) == 0 else { throw .system(path, "name", errno) }
            try syncDirectory(directory)
        } catch {
            unlink(draft)
            throw error
        }
        return file
    }

    /// Written, not only allocated: a write into an allocated but unwritten block changes metadata.
    private func fill() throws(SpoolError) {
        var header = Self.magic
        header.append(littleEndian: UInt32(slotLength))
        header.append(littleEndian: UInt32(slotCount))
        try write(header + [UInt8](repeating: 0, count: slotLength - header.count), at: 0)
        let zeros = [UInt8](repeating: 0, count: slotLength)
        for index in 1...slotCount { try write(zeros, at: index) }
    }

    /// An existing file. Nil if another worker holds it, or it is no spool file.
    static func adopt(_ path: String) -> SpoolFile? {
        let descriptor = open(path, O_RDWR | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0, let file = SpoolFile(path: path, descriptor: descriptor) else {
            close(descriptor)
            return nil
        }
        return file
    }

    /// An existing file, only to look into.
    static func peek(_ path: String) -> SpoolFile? {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        guard let file = SpoolFile(path: path, descriptor: descriptor) else {
            close(descriptor)
            return nil
        }
        return file
    }

    private convenience init?(path: String, descriptor: Int32) {
        guard let header = Self.read(descriptor, count: 12, offset: 0), header.starts(with: Self.magic) else {
            return nil
        }
        let slotLength = Int(header.littleEndian(UInt32.self, at: 4))
        let slotCount = Int(header.littleEndian(UInt32.self, at: 8))
        guard slotLength >= 512, slotLength <= 32 << 20, slotCount >= 1 else { return nil }
        self.init(path: path, slotLength: slotLength, slotCount: slotCount, descriptor: descriptor)
    }

    /// - Parameter index: from 1; 0 is the header.
    func write(_ bytes: [UInt8], at index: Int) throws(SpoolError) {
        try Self.write(bytes, to: descriptor, offset: off_t(index * slotLength), path: path)
    }

    func markSettled(_ index: Int) throws(SpoolError) {
        let offset = off_t(index * slotLength + SlotFormat.settledOffset)
        try Self.write([1], to: descriptor, offset: offset, path: path)
    }

    func clear(_ index: Int) throws(SpoolError) {
        try write([UInt8](repeating: 0, count: SlotFormat.headerLength), at: index)
    }

    /// The record in a slot; nil if it is free or damaged.
    func record(at index: Int) -> (record: SpoolRecord, isSettled: Bool)? {
        let offset = off_t(index * slotLength)
        guard let header = Self.read(descriptor, count: SlotFormat.headerLength, offset: offset),
            let length = SlotFormat.contentLength(header: header), length <= slotLength - SlotFormat.headerLength,
            let slot = Self.read(descriptor, count: SlotFormat.headerLength + length, offset: offset)
        else { return nil }
        return SlotFormat.decode(slot)
    }

    static func write(_ bytes: [UInt8], to descriptor: Int32, offset: off_t, path: String) throws(SpoolError) {
        var done = 0
        while done < bytes.count {
            let written = bytes.withUnsafeBytes { buffer in
                pwrite(descriptor, buffer.baseAddress! + done, bytes.count - done, offset + off_t(done))
            }
            if written < 0, errno == EINTR { continue }
            guard written > 0 else { throw .system(path, "write", errno) }
            done += written
        }
    }

    private static func read(_ descriptor: Int32, count: Int, offset: off_t) -> [UInt8]? {
        var bytes = [UInt8](repeating: 0, count: count)
        let got = bytes.withUnsafeMutableBytes { pread(descriptor, $0.baseAddress!, count, offset) }
        return got == count ? bytes : nil
    }

    /// Makes a new or removed name in the directory durable.
    static func syncDirectory(_ path: String) throws(SpoolError) {
        let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
        guard descriptor >= 0 else { throw .system(path, "open", errno) }
        defer { close(descriptor) }
        guard fsync(descriptor) == 0 else { throw .system(path, "sync", errno) }
    }

    static func syncData(_ descriptor: Int32) -> Int32 {
        #if canImport(Darwin)
        return fcntl(descriptor, F_FULLFSYNC) == 0 ? 0 : errno
        #else
        return fdatasync(descriptor) == 0 ? 0 : errno
        #endif
    }
}
