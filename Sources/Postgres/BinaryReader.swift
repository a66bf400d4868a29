/// Reads big-endian integers and runs of bytes one after the other; nil where too little is left.
struct BinaryReader {
    private let buffer: UnsafeRawBufferPointer
    private var position = 0

    init(_ buffer: UnsafeRawBufferPointer) { self.buffer = buffer }

    mutating func integer<Number: FixedWidthInteger>() -> Number? {
        let size = MemoryLayout<Number>.size
        guard let slice = bytes(size) else { return nil }
        return Number(bigEndian: slice.loadUnaligned(as: Number.self))
    }

    mutating func bytes(_ count: Int) -> UnsafeRawBufferPointer? {
        guard count >= 0, position + count <= buffer.count else { return nil }
        defer { position += count }
        return UnsafeRawBufferPointer(rebasing: buffer[position..<position + count])
    }
}

extension UnsafeRawBufferPointer {
    /// The whole buffer as one big-endian integer; nil if it has another size.
    func bigEndianInteger<Number: FixedWidthInteger>() -> Number? {
        guard count == MemoryLayout<Number>.size else { return nil }
        return Number(bigEndian: loadUnaligned(as: Number.self))
    }
}
