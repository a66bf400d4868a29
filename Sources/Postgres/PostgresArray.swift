package import Foundation

/// A Swift type that can stand in a PostgreSQL array.
///
/// `UInt8` is one too, but an array of it is a `bytea`.
package protocol PostgresArrayElement: Sendable {
    static var postgresArrayType: PostgresType { get }
    static func encode(array: [Self], as type: PostgresType, into bytes: inout [UInt8]) -> Bool
    static func decode(array value: PostgresValue) throws(PostgresDecodingProblem) -> [Self]
    static func text(array: [Self]) -> String?
}

extension Array: PostgresEncodable where Element: PostgresArrayElement {
    package static var postgresType: PostgresType { Element.postgresArrayType }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        Element.encode(array: self, as: type, into: &bytes)
    }
}

extension Array: PostgresDecodable where Element: PostgresArrayElement {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> [Element] {
        try Element.decode(array: value)
    }
}

extension UInt8: PostgresArrayElement {
    package static var postgresArrayType: PostgresType { .bytea }

    package static func encode(array: [UInt8], as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        guard type == .bytea else { return false }
        bytes.append(contentsOf: array)
        return true
    }

    package static func decode(array value: PostgresValue) throws(PostgresDecodingProblem) -> [UInt8] {
        let bytes = try value.nonNull()
        guard value.type == .bytea else { throw .type }
        return [UInt8](bytes)
    }

    package static func text(array: [UInt8]) -> String? { PostgresText.bytea(array) }
}

extension PostgresArrayElement where Self: PostgresEncodable & PostgresDecodable {
    package static var postgresArrayType: PostgresType {
        // A text array is sent as text[]; the server casts it where the place wants another type.
        postgresType.array ?? PostgresType.text.array ?? .unspecified
    }

    package static func encode(array: [Self], as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        ArrayWriter.write(array, as: type, into: &bytes) { $0 }
    }

    package static func decode(array value: PostgresValue) throws(PostgresDecodingProblem) -> [Self] {
        try ArrayReader.read(value)
    }

    package static func text(array: [Self]) -> String? {
        let texts = array.compactMap(\.postgresText)
        return texts.count == array.count ? PostgresText.array(texts) : nil
    }
}

extension Optional: PostgresArrayElement where Wrapped: PostgresArrayElement & PostgresEncodable & PostgresDecodable {
    package static var postgresArrayType: PostgresType { Wrapped.postgresArrayType }

    package static func encode(array: [Wrapped?], as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        ArrayWriter.write(array, as: type, into: &bytes) { $0 }
    }

    package static func decode(array value: PostgresValue) throws(PostgresDecodingProblem) -> [Wrapped?] {
        try ArrayReader.read(value)
    }

    package static func text(array: [Wrapped?]) -> String? {
        let texts = array.map { $0?.postgresText }
        let hasUnwritable = zip(array, texts).contains { $0 != nil && $1 == nil }
        return hasUnwritable ? nil : PostgresText.array(texts)
    }
}

extension Bool: PostgresArrayElement {}
extension Int16: PostgresArrayElement {}
extension Int32: PostgresArrayElement {}
extension Int64: PostgresArrayElement {}
extension Int: PostgresArrayElement {}
extension Double: PostgresArrayElement {}
extension Float: PostgresArrayElement {}
extension String: PostgresArrayElement {}
extension PostgresJSON: PostgresArrayElement {}
extension UUID: PostgresArrayElement {}
extension Date: PostgresArrayElement {}
extension Decimal: PostgresArrayElement {}
extension Array: PostgresArrayElement where Element == UInt8 {}

/// Writes the binary form of a one-dimensional array: dimensions, whether there are NULLs, the
/// element's type, length and lower bound, then each element with its length.
private enum ArrayWriter {
    static func write<Element, Value: PostgresEncodable>(
        _ array: [Element],
        as type: PostgresType,
        into bytes: inout [UInt8],
        value: (Element) -> Value?
    ) -> Bool {
        guard let elementType = type.element, let count = Int32(exactly: array.count) else { return false }
        let start = bytes.count
        bytes.append(bigEndian: Int32(array.isEmpty ? 0 : 1))
        bytes.append(bigEndian: Int32(0))
        let hasNullAt = bytes.count - 1
        bytes.append(bigEndian: elementType.rawValue)
        guard !array.isEmpty else { return true }
        bytes.append(bigEndian: count)
        bytes.append(bigEndian: Int32(1))
        for element in array {
            guard let value = value(element) else {
                bytes[hasNullAt] = 1
                bytes.append(bigEndian: Int32(-1))
                continue
            }
            guard append(value, as: elementType, into: &bytes) else {
                bytes.removeSubrange(start...)
                return false
            }
        }
        return true
    }

    private static func append(
        _ value: some PostgresEncodable,
        as type: PostgresType,
        into bytes: inout [UInt8]
    ) -> Bool {
        let lengthAt = bytes.count
        bytes.append(bigEndian: Int32(0))
        guard value.encode(as: type, into: &bytes) else { return false }
        let length = UInt32(bytes.count - lengthAt - 4)
        for byte in 0..<4 {
            bytes[lengthAt + byte] = UInt8(truncatingIfNeeded: length >> UInt32(24 - 8 * byte))
        }
        return true
    }
}

/// Reads what ``ArrayWriter`` writes; an array of more dimensions has no Swift form here.
private enum ArrayReader {
    static func read<Element: PostgresDecodable>(
        _ value: PostgresValue
    ) throws(PostgresDecodingProblem) -> [Element] {
        var reader = BinaryReader(try value.nonNull())
        guard value.type.element != nil || value.type.isUserDefined else { throw .type }
        guard let dimensions: Int32 = reader.integer(), let _: Int32 = reader.integer(),
            let elementType: UInt32 = reader.integer()
        else { throw .malformed }
        if dimensions == 0 { return [] }
        guard dimensions == 1 else { throw .value("an array of \(dimensions) dimensions") }
        guard let count: Int32 = reader.integer(), let _: Int32 = reader.integer(), count >= 0 else {
            throw .malformed
        }
        var array: [Element] = []
        array.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let length: Int32 = reader.integer() else { throw .malformed }
            var bytes: UnsafeRawBufferPointer?
            if length >= 0 {
                guard let slice = reader.bytes(Int(length)) else { throw .malformed }
                bytes = slice
            }
            array.append(try Element.decode(PostgresValue(type: .init(rawValue: elementType), bytes: bytes)))
        }
        return array
    }
}
