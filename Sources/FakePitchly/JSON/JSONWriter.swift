/// Builds JSON as bytes. Nothing checks the shape: the hot paths write prepared pieces straight in.
struct JSONWriter {
    private(set) var bytes: [UInt8] = []

    init(capacity: Int = 0) { bytes.reserveCapacity(capacity) }

    var text: String { String(decoding: bytes, as: UTF8.self) }

    /// What was written since `position` is dropped: an object that turned out to be null.
    mutating func rewind(to position: Int) { bytes.removeSubrange(position...) }

    var position: Int { bytes.count }

    @inline(__always) mutating func byte(_ byte: UInt8) { bytes.append(byte) }

    /// Prepared JSON, or the plain inside of a string that needs no escape.
    @inline(__always) mutating func raw(_ piece: [UInt8]) { bytes.append(contentsOf: piece) }

    @inline(__always) mutating func raw(_ piece: StaticString) {
        bytes.append(contentsOf: UnsafeBufferPointer(start: piece.utf8Start, count: piece.utf8CodeUnitCount))
    }

    mutating func value(_ value: JSONValue) {
        switch value {
        case .null: raw("null")
        case .bool(let flag): flag ? raw("true") : raw("false")
        case .number(let text): bytes.append(contentsOf: text.utf8)
        case .string(let text): string(text)
        case .array(let elements):
            byte(0x5B)
            for (place, element) in elements.enumerated() {
                if place > 0 { byte(0x2C) }
                self.value(element)
            }
            byte(0x5D)
        case .object(let object):
            byte(0x7B)
            for (place, member) in object.members.enumerated() {
                if place > 0 { byte(0x2C) }
                string(member.name)
                byte(0x3A)
                self.value(member.value)
            }
            byte(0x7D)
        }
    }

    /// The characters of an id after its prefix, without a list in between.
    mutating func suffix(of number: Int, _ codec: IdentifierCodec) { codec.appendSuffix(of: number, to: &bytes) }

    mutating func string(_ text: String) {
        byte(0x22)
        bytes.append(contentsOf: JSONWriter.escaped(text))
        byte(0x22)
    }

    mutating func integer(_ number: Int) {
        if number < 0 { byte(0x2D) }
        digits(number.magnitude)
    }

    mutating func digits(_ number: UInt) {
        if number >= 10 { digits(number / 10) }
        byte(UInt8(truncatingIfNeeded: 0x30 + number % 10))
    }

    /// With leading zeros.
    mutating func digits(_ number: Int, width: Int) {
        var divisor = 1
        for _ in 1..<width { divisor *= 10 }
        while divisor > 0 {
            byte(UInt8(truncatingIfNeeded: 0x30 + (number / divisor) % 10))
            divisor /= 10
        }
    }

    /// The inside of a JSON string: quotes, backslashes and control characters escaped, all else as
    /// it is in UTF-8.
    static func escaped(_ text: String) -> [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(text.utf8.count)
        for unit in text.utf8 {
            switch unit {
            case 0x22: result += [0x5C, 0x22]
            case 0x5C: result += [0x5C, 0x5C]
            case 0x0A: result += [0x5C, 0x6E]
            case 0x0D: result += [0x5C, 0x72]
            case 0x09: result += [0x5C, 0x74]
            case 0..<0x20:
                let hexadecimal = Array("0123456789abcdef".utf8)
                result += Array("\\u00".utf8) + [hexadecimal[Int(unit >> 4)], hexadecimal[Int(unit & 15)]]
            default: result.append(unit)
            }
        }
        return result
    }
}
