import Foundation
import LeaseholdCore

/// How a record lies in a slot: a header of 16 bytes, then the content.
///
/// | bytes | |
/// |---|---|
/// | 0-3 | `LHS1`, or anything else in a free slot |
/// | 4 | 1 if settled; not under the checksum, because it is written alone and may be lost |
/// | 8-11 | length of the content |
/// | 12-15 | CRC-32 of the content |
/// | content | written at (µs), generation, attempt, tenant's length (1 byte), tenant, sealed reply |
///
/// Integers are little-endian. The checksum finds a torn write without any key; the seal finds
/// everything else.
enum SlotFormat {
    static let magic = Array("LHS1".utf8)
    static let headerLength = 16
    static let settledOffset = 4
    /// A length beyond this is damage.
    static let longestContent = 16 << 20

    static func encode(_ record: SpoolRecord) -> [UInt8] {
        var content: [UInt8] = []
        content.append(littleEndian: record.writtenAt.microseconds)
        content.append(littleEndian: record.generation)
        withUnsafeBytes(of: record.attempt.uuid) { content.append(contentsOf: $0) }
        content.append(UInt8(record.tenant.rawValue.utf8.count))
        content.append(contentsOf: record.tenant.rawValue.utf8)
        content.append(contentsOf: record.sealed)
        var slot = magic + [0, 0, 0, 0]
        slot.append(littleEndian: UInt32(content.count))
        slot.append(littleEndian: CRC32.checksum(content))
        return slot + content
    }

    /// Length of the content that `header` announces; nil for a free slot.
    static func contentLength(header: [UInt8]) -> Int? {
        guard header.count >= headerLength, header.starts(with: magic) else { return nil }
        let length = Int(header.littleEndian(UInt32.self, at: 8))
        return length <= longestContent ? length : nil
    }

    /// Nil for a free, torn or damaged slot.
    static func decode(_ slot: [UInt8]) -> (record: SpoolRecord, isSettled: Bool)? {
        guard let length = contentLength(header: slot), slot.count >= headerLength + length else { return nil }
        let content = Array(slot[headerLength..<headerLength + length])
        guard CRC32.checksum(content) == slot.littleEndian(UInt32.self, at: 12), content.count >= 33 else { return nil }
        let tenantEnd = 33 + Int(content[32])
        guard content.count >= tenantEnd,
            let tenant = TenantID(rawValue: String(decoding: content[33..<tenantEnd], as: UTF8.self))
        else { return nil }
        var attempt = UUID().uuid
        withUnsafeMutableBytes(of: &attempt) { $0.copyBytes(from: content[16..<32]) }
        let record = SpoolRecord(
            tenant: tenant,
            generation: content.littleEndian(Int64.self, at: 8),
            attempt: UUID(uuid: attempt),
            writtenAt: Date(microseconds: content.littleEndian(Int64.self, at: 0)),
            sealed: Array(content[tenantEnd...])
        )
        return (record, slot[settledOffset] == 1)
    }
}

/// CRC-32 of IEEE 802.3 (reflected, polynomial 0xEDB88320).
enum CRC32 {
    private static let table: [UInt32] = (0..<256).map { index in
        (0..<8).reduce(UInt32(index)) { value, _ in value & 1 == 1 ? value >> 1 ^ 0xEDB8_8320 : value >> 1 }
    }

    static func checksum(_ bytes: [UInt8]) -> UInt32 {
        ~bytes.reduce(~UInt32(0)) { value, byte in table[Int((value ^ UInt32(byte)) & 0xFF)] ^ value >> 8 }
    }
}

extension [UInt8] {
    mutating func append<Number: FixedWidthInteger>(littleEndian number: Number) {
        Swift.withUnsafeBytes(of: number.littleEndian) { append(contentsOf: $0) }
    }

    func littleEndian<Number: FixedWidthInteger>(_ type: Number.Type, at offset: Int) -> Number {
        var number: Number = 0
        for index in (0..<MemoryLayout<Number>.size).reversed() {
            number = number << 8 | Number(truncatingIfNeeded: self[offset + index])
        }
        return number
    }
}
