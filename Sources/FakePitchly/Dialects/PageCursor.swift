import Foundation

/// Where a page ended, as an opaque text. It holds the order key of the record, so it stays good when
/// other records, or that record itself, are changed or deleted; it is good for one table only.
struct PageCursor {
    private let salt: UInt64

    init(table: TableState) { salt = SeededHash.mix(table.salt ^ 0xC025) }

    func text(of orderKey: Int) -> String {
        let scrambled = UInt64(truncatingIfNeeded: orderKey) ^ salt
        return Self.bytes(scrambled, check(orderKey)).base64EncodedString()
    }

    /// Nil for a text that was not made for this table.
    func orderKey(of text: String) -> Int? {
        guard let data = Data(base64Encoded: text), data.count == 12 else { return nil }
        let scrambled = data.prefix(8).reduce(0) { $0 << 8 | UInt64($1) }
        let orderKey = Int(truncatingIfNeeded: scrambled ^ salt)
        return Self.bytes(scrambled, check(orderKey)) == data ? orderKey : nil
    }

    private func check(_ orderKey: Int) -> UInt32 {
        UInt32(truncatingIfNeeded: SeededHash.mix(UInt64(truncatingIfNeeded: orderKey) ^ salt &* 3))
    }

    private static func bytes(_ scrambled: UInt64, _ check: UInt32) -> Data {
        withUnsafeBytes(of: scrambled.bigEndian) { first in
            withUnsafeBytes(of: check.bigEndian) { Data(first) + Data($0) }
        }
    }
}
