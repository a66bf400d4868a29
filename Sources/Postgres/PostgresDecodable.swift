package import Foundation

/// One value of a row, borrowed from the answer: the bytes live as long as the row does.
package struct PostgresValue {
    package let type: PostgresType
    /// Nil for NULL.
    package let bytes: UnsafeRawBufferPointer?

    package init(type: PostgresType, bytes: UnsafeRawBufferPointer?) {
        self.type = type
        self.bytes = bytes
    }

    package func nonNull() throws(PostgresDecodingProblem) -> UnsafeRawBufferPointer {
        guard let bytes else { throw .null }
        return bytes
    }
}

/// Why a value has no Swift form; ``PostgresRow`` adds the column and never the value.
package enum PostgresDecodingProblem: Error, Equatable {
    case null
    /// The column's type is not one this Swift type reads.
    case type
    /// The type fits but this value does not; the text names the kind of value, like `infinity`.
    case value(String)
    /// The bytes are not what the type promises.
    case malformed
}

/// A Swift type that can be read from a column.
package protocol PostgresDecodable {
    static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Self
}

extension Optional: PostgresDecodable where Wrapped: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Wrapped? {
        if value.bytes == nil { return nil }
        return try Wrapped.decode(value)
    }
}

extension Bool: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Bool {
        let bytes = try value.nonNull()
        guard value.type == .bool else { throw .type }
        guard bytes.count == 1 else { throw .malformed }
        return bytes[0] != 0
    }
}

extension PostgresDecodable where Self: FixedWidthInteger {
    /// Reads smaller integers too, and larger ones never: a column that can hold more than the
    /// Swift type is an error whatever it holds now.
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Self {
        let bytes = try value.nonNull()
        let number: Int64?
        switch value.type {
        case .int2: number = (bytes.bigEndianInteger() as Int16?).map(Int64.init)
        case .int4 where bitWidth >= 32: number = (bytes.bigEndianInteger() as Int32?).map(Int64.init)
        case .int8 where bitWidth >= 64: number = bytes.bigEndianInteger()
        case .oid where bitWidth >= 64: number = (bytes.bigEndianInteger() as UInt32?).map(Int64.init)
        default: throw .type
        }
        guard let number else { throw .malformed }
        return Self(truncatingIfNeeded: number)
    }
}

extension Int16: PostgresDecodable {}
extension Int32: PostgresDecodable {}
extension Int64: PostgresDecodable {}
extension Int: PostgresDecodable {}

extension Double: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Double {
        let bytes = try value.nonNull()
        let number: Double?
        switch value.type {
        case .float8: number = bytes.bigEndianInteger().map(Double.init(bitPattern:))
        case .float4: number = bytes.bigEndianInteger().map { Double(Float(bitPattern: $0)) }
        default: throw .type
        }
        guard let number else { throw .malformed }
        return number
    }
}

extension Float: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Float {
        let bytes = try value.nonNull()
        guard value.type == .float4 else { throw .type }
        guard let number = bytes.bigEndianInteger().map(Float.init(bitPattern:)) else { throw .malformed }
        return number
    }
}

extension String: PostgresDecodable {
    /// Reads text types, JSON and the labels of enums.
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> String {
        var bytes = try value.nonNull()
        switch value.type {
        case .jsonb:
            guard bytes.first == 1 else { throw .malformed }
            bytes = UnsafeRawBufferPointer(rebasing: bytes.dropFirst())
        case .void:
            return ""
        case let type where type.isText:
            break
        case let type where type.isUserDefined:
            // An enum's binary form is its label. A composite's is not text and holds NULs.
            if bytes.contains(0) { throw .type }
        default:
            throw .type
        }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw .malformed }
        return text
    }
}

extension PostgresJSON: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> PostgresJSON {
        guard value.type == .jsonb || value.type == .json || value.bytes == nil else { throw .type }
        return PostgresJSON(try String.decode(value))
    }
}

extension UUID: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> UUID {
        let bytes = try value.nonNull()
        guard value.type == .uuid else { throw .type }
        guard bytes.count == 16 else { throw .malformed }
        return UUID(uuid: bytes.loadUnaligned(as: uuid_t.self))
    }
}

extension Date: PostgresDecodable {
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Date {
        let bytes = try value.nonNull()
        guard value.type == .timestamptz else { throw .type }
        guard let microseconds: Int64 = bytes.bigEndianInteger() else { throw .malformed }
        guard let date = PostgresTime.date(microseconds: microseconds) else { throw .value("an infinite time") }
        return date
    }
}
