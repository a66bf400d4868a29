package import Foundation

/// A Swift value that can be a parameter of a statement.
package protocol PostgresEncodable: Sendable {
    /// The type that is declared to the server where the statement does not declare one itself.
    static var postgresType: PostgresType { get }

    /// Appends the value's binary form as `type`.
    ///
    /// - Returns: false if this value has no form in that type; nothing is appended then.
    func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool

    /// The value as an SQL literal without its quotes, which the text format of COPY carries. Nil
    /// if it has no form in its type.
    var postgresText: String? { get }
}

extension Bool: PostgresEncodable {
    package static var postgresType: PostgresType { .bool }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        guard type == .bool else { return false }
        bytes.append(self ? 1 : 0)
        return true
    }
}

extension PostgresEncodable where Self: FixedWidthInteger {
    /// An integer fits every numeric type that can hold it exactly.
    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        switch type {
        case .int8: Int64(exactly: self).map { bytes.append(bigEndian: $0) } != nil
        case .int4: Int32(exactly: self).map { bytes.append(bigEndian: $0) } != nil
        case .int2: Int16(exactly: self).map { bytes.append(bigEndian: $0) } != nil
        case .oid: UInt32(exactly: self).map { bytes.append(bigEndian: $0) } != nil
        case .float8: Double(exactly: self).map { bytes.append(bigEndian: $0.bitPattern) } != nil
        case .float4: Float(exactly: self).map { bytes.append(bigEndian: $0.bitPattern) } != nil
        case .numeric: Decimal(string: String(self))?.encode(as: type, into: &bytes) ?? false
        default: false
        }
    }
}

extension Int16: PostgresEncodable { package static var postgresType: PostgresType { .int2 } }
extension Int32: PostgresEncodable { package static var postgresType: PostgresType { .int4 } }
extension Int64: PostgresEncodable { package static var postgresType: PostgresType { .int8 } }
extension Int: PostgresEncodable { package static var postgresType: PostgresType { .int8 } }

extension Double: PostgresEncodable {
    package static var postgresType: PostgresType { .float8 }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        switch type {
        case .float8: bytes.append(bigEndian: bitPattern)
        case .float4: bytes.append(bigEndian: Float(self).bitPattern)
        default: return false
        }
        return true
    }
}

extension Float: PostgresEncodable {
    package static var postgresType: PostgresType { .float4 }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        switch type {
        case .float8: bytes.append(bigEndian: Double(self).bitPattern)
        case .float4: bytes.append(bigEndian: bitPattern)
        default: return false
        }
        return true
    }
}

extension UUID: PostgresEncodable {
    package static var postgresType: PostgresType { .uuid }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        switch type {
        case .uuid: withUnsafeBytes(of: uuid) { bytes.append(contentsOf: $0) }
        case .text, .varchar: bytes.append(contentsOf: uuidString.lowercased().utf8)
        default: return false
        }
        return true
    }
}

extension Date: PostgresEncodable {
    package static var postgresType: PostgresType { .timestamptz }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        guard type == .timestamptz, let microseconds = PostgresTime.microseconds(of: self) else { return false }
        bytes.append(bigEndian: microseconds)
        return true
    }
}

extension String: PostgresEncodable {
    /// Unspecified, so that a text stands for a value of whatever type its place has: the server
    /// reads it as it would read a literal.
    package static var postgresType: PostgresType { .unspecified }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        guard type.isText else { return false }
        bytes.append(contentsOf: utf8)
        return true
    }
}

/// JSON text, passed on as it is; the server checks it.
package struct PostgresJSON: Sendable, Hashable {
    package var text: String

    package init(_ text: String) { self.text = text }
}

extension PostgresJSON: PostgresEncodable {
    package static var postgresType: PostgresType { .jsonb }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        switch type {
        case .jsonb: bytes.append(1)  // the version of jsonb's binary form
        case .json, .text, .varchar: break
        default: return false
        }
        bytes.append(contentsOf: text.utf8)
        return true
    }
}

extension [UInt8] {
    /// The integer in network order, as every PostgreSQL binary form has it.
    mutating func append<Number: FixedWidthInteger>(bigEndian number: Number) {
        Swift.withUnsafeBytes(of: number.bigEndian) { append(contentsOf: $0) }
    }
}
