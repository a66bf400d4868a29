/// Reads one JSON text (RFC 8259), strictly: no trailing comma, no second value, at most 128 deep.
package struct JSONParser {
    package struct Malformed: Error, CustomStringConvertible {
        package let offset: Int
        package let expected: String
        package var description: String { "malformed JSON at byte \(offset): expected \(expected)" }
    }

    private let bytes: [UInt8]
    private var place = 0
    private var depth = 0

    private init(_ bytes: [UInt8]) { self.bytes = bytes }

    package static func parse(_ bytes: some Sequence<UInt8>) throws(Malformed) -> JSONValue {
        var parser = JSONParser(Array(bytes))
        let value = try parser.value()
        parser.skipSpace()
        guard parser.place == parser.bytes.count else { throw parser.malformed("the end") }
        return value
    }

    package static func parse(_ text: String) throws(Malformed) -> JSONValue { try parse(text.utf8) }

    private func malformed(_ expected: String) -> Malformed { Malformed(offset: place, expected: expected) }

    private var current: UInt8? { place < bytes.count ? bytes[place] : nil }

    private mutating func skipSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { place += 1 }
    }

    private mutating func take(_ byte: UInt8) -> Bool {
        skipSpace()
        guard current == byte else { return false }
        place += 1
        return true
    }

    private mutating func value() throws(Malformed) -> JSONValue {
        skipSpace()
        switch current {
        case 0x7B: return .object(try nested { parser throws(Malformed) in try parser.object() })
        case 0x5B: return .array(try nested { parser throws(Malformed) in try parser.array() })
        case 0x22: return .string(try string())
        case 0x74: return try word("true", .bool(true))
        case 0x66: return try word("false", .bool(false))
        case 0x6E: return try word("null", .null)
        default: return .number(try number())
        }
    }

    private mutating func nested<Value>(
        _ read: (inout JSONParser) throws(Malformed) -> Value
    ) throws(Malformed) -> Value {
        guard depth < 128 else { throw malformed("at most 128 levels") }
        depth += 1
        defer { depth -= 1 }
        place += 1
        return try read(&self)
    }

    private mutating func object() throws(Malformed) -> JSONObject {
        var object = JSONObject()
        if take(0x7D) { return object }
        repeat {
            skipSpace()
            guard current == 0x22 else { throw malformed("a member's name") }
            let name = try string()
            guard take(0x3A) else { throw malformed("a colon") }
            object[name] = try value()
        } while take(0x2C)
        guard take(0x7D) else { throw malformed("a comma or }") }
        return object
    }

    private mutating func array() throws(Malformed) -> [JSONValue] {
        var elements: [JSONValue] = []
        if take(0x5D) { return elements }
        repeat { elements.append(try value()) } while take(0x2C)
        guard take(0x5D) else { throw malformed("a comma or ]") }
        return elements
    }

    private mutating func word(_ text: String, _ value: JSONValue) throws(Malformed) -> JSONValue {
        guard bytes[place...].starts(with: text.utf8) else { throw malformed("a value") }
        place += text.utf8.count
        return value
    }

    private mutating func number() throws(Malformed) -> String {
        let start = place
        if current == 0x2D { place += 1 }
        let leadingZero = current == 0x30
        let whole = digits()
        guard whole > 0, !(leadingZero && whole > 1) else { throw malformed("a value") }
        if current == 0x2E {
            place += 1
            guard digits() > 0 else { throw malformed("a digit after the point") }
        }
        if current == 0x65 || current == 0x45 {
            place += 1
            if current == 0x2B || current == 0x2D { place += 1 }
            guard digits() > 0 else { throw malformed("a digit of the exponent") }
        }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = current, byte >= 0x30, byte <= 0x39 { place += 1 }
        return place - start
    }

    private mutating func string() throws(Malformed) -> String {
        place += 1
        var units: [UInt8] = []
        while let byte = current, byte != 0x22 {
            guard byte >= 0x20 else { throw malformed("no control character in a string") }
            place += 1
            if byte == 0x5C { try escape(into: &units) } else { units.append(byte) }
        }
        guard current == 0x22 else { throw malformed("the end of the string") }
        place += 1
        guard let text = String(validating: units, as: UTF8.self) else { throw malformed("UTF-8") }
        return text
    }

    private mutating func escape(into units: inout [UInt8]) throws(Malformed) {
        guard let letter = current else { throw malformed("the end of the string") }
        place += 1
        switch letter {
        case 0x22, 0x5C, 0x2F: units.append(letter)
        case 0x62: units.append(0x08)
        case 0x66: units.append(0x0C)
        case 0x6E: units.append(0x0A)
        case 0x72: units.append(0x0D)
        case 0x74: units.append(0x09)
        case 0x75: units.append(contentsOf: String(try escapedScalar()).utf8)
        default: throw malformed("an escape")
        }
    }

    private mutating func escapedScalar() throws(Malformed) -> Unicode.Scalar {
        let first = try hexadecimal4()
        if let scalar = Unicode.Scalar(first) { return scalar }
        guard first < 0xDC00, bytes[place...].starts(with: [0x5C, 0x75]) else {
            throw malformed("a pair of surrogates")
        }
        place += 2
        let second = try hexadecimal4()
        guard (0xDC00..<0xE000).contains(second),
            let scalar = Unicode.Scalar(0x10000 + ((first - 0xD800) << 10) + (second - 0xDC00))
        else { throw malformed("a pair of surrogates") }
        return scalar
    }

    private mutating func hexadecimal4() throws(Malformed) -> UInt32 {
        guard place + 4 <= bytes.count else { throw malformed("four hexadecimal digits") }
        var number: UInt32 = 0
        for byte in bytes[place..<place + 4] {
            guard let digit = Character(Unicode.Scalar(byte)).hexDigitValue else {
                throw malformed("four hexadecimal digits")
            }
            number = number << 4 | UInt32(digit)
        }
        place += 4
        return number
    }
}
