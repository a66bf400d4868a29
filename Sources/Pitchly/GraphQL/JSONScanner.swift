/// Walks over a JSON text (RFC 8259) without building values: the ranges it returns are slices of
/// the bytes as they came, so that a cell of a kind nobody knows is kept as it is.
///
/// It accepts only what PostgreSQL's `jsonb` accepts, because one bad cell must not fail a page when
/// it is stored: `\u0000` and halves of surrogate pairs, which `jsonb` refuses, are overwritten in
/// place with `\ufffd` and counted, as are bytes that are not UTF-8; numbers beyond `numeric` and
/// nesting beyond 128 are errors.
struct JSONScanner {
    private(set) var bytes: [UInt8]
    private(set) var position = 0
    /// Characters that were replaced by U+FFFD.
    private(set) var repairs = 0
    private var depth = 0

    static let depthLimit = 128

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
        if String(validating: bytes, as: UTF8.self) == nil { repairEncoding() }
    }

    private mutating func repairEncoding() {
        let before = Self.replacementCount(bytes)
        bytes = Array(String(decoding: bytes, as: UTF8.self).utf8)
        repairs = Self.replacementCount(bytes) - before
    }

    private static func replacementCount(_ bytes: [UInt8]) -> Int {
        var count = 0
        for index in bytes.indices.dropLast(2)
        where bytes[index] == 0xEF && bytes[index + 1] == 0xBF && bytes[index + 2] == 0xBD {
            count += 1
        }
        return count
    }

    struct Failure: Error, Equatable {
        let expected: String
        let offset: Int
    }

    /// The next byte that is not white space, not consumed.
    mutating func peek() throws(Failure) -> UInt8 {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else { return byte }
            position += 1
        }
        throw Failure(expected: "more", offset: position)
    }

    mutating func expect(_ byte: UInt8, _ what: String) throws(Failure) {
        guard try peek() == byte else { throw Failure(expected: what, offset: position) }
        position += 1
    }

    /// Consumes `null` if it comes next.
    mutating func takeNull() throws(Failure) -> Bool {
        guard try peek() == UInt8(ascii: "n") else { return false }
        try literal("null")
        return true
    }

    /// Calls `body` for each member with the range of the name between its quotes; `body` consumes
    /// exactly the value.
    mutating func object(
        _ body: (inout JSONScanner, Range<Int>) throws(Failure) -> Void
    ) throws(Failure) {
        try enter(UInt8(ascii: "{"), "an object")
        if try closes(with: UInt8(ascii: "}")) { return }
        while true {
            guard try peek() == UInt8(ascii: "\"") else { throw Failure(expected: "a name", offset: position) }
            let quoted = try string()
            try expect(UInt8(ascii: ":"), "a colon")
            try body(&self, quoted.lowerBound + 1..<quoted.upperBound - 1)
            if try closes(with: UInt8(ascii: "}")) { return }
            try expect(UInt8(ascii: ","), "a comma or the end of an object")
        }
    }

    /// Calls `body` before each element; `body` consumes exactly the element.
    mutating func array(_ body: (inout JSONScanner) throws(Failure) -> Void) throws(Failure) {
        try enter(UInt8(ascii: "["), "an array")
        if try closes(with: UInt8(ascii: "]")) { return }
        while true {
            try body(&self)
            if try closes(with: UInt8(ascii: "]")) { return }
            try expect(UInt8(ascii: ","), "a comma or the end of an array")
        }
    }

    /// Consumes any value and returns where it stands.
    @discardableResult
    mutating func value() throws(Failure) -> Range<Int> {
        let first = try peek()
        let start = position
        switch first {
        case UInt8(ascii: "\""): return try string()
        case UInt8(ascii: "{"): try object { scanner, _ throws(Failure) in try scanner.value() }
        case UInt8(ascii: "["): try array { scanner throws(Failure) in try scanner.value() }
        case UInt8(ascii: "t"): try literal("true")
        case UInt8(ascii: "f"): try literal("false")
        case UInt8(ascii: "n"): try literal("null")
        default: try number()
        }
        return start..<position
    }

    /// Back to a place where a value starts, at the depth it had there.
    mutating func rewind(to place: Place) {
        position = place.position
        depth = place.depth
    }

    var place: Place { Place(position: position, depth: depth) }

    struct Place {
        fileprivate let position: Int
        fileprivate let depth: Int
    }

    /// Only white space may follow.
    mutating func end() throws(Failure) {
        while position < bytes.count {
            let byte = bytes[position]
            guard byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 else {
                throw Failure(expected: "the end", offset: position)
            }
            position += 1
        }
    }

    private mutating func enter(_ bracket: UInt8, _ what: String) throws(Failure) {
        try expect(bracket, what)
        depth += 1
        guard depth <= Self.depthLimit else {
            throw Failure(expected: "at most \(Self.depthLimit) levels", offset: position)
        }
    }

    private mutating func closes(with bracket: UInt8) throws(Failure) -> Bool {
        guard try peek() == bracket else { return false }
        position += 1
        depth -= 1
        return true
    }

    private mutating func literal(_ text: StaticString) throws(Failure) {
        let end = position + text.utf8CodeUnitCount
        guard end <= bytes.count else { throw Failure(expected: "\(text)", offset: position) }
        for offset in 0..<text.utf8CodeUnitCount where bytes[position + offset] != text.utf8Start[offset] {
            throw Failure(expected: "\(text)", offset: position)
        }
        position = end
    }
}

extension JSONScanner {
    /// Consumes a string and returns where it stands, quotes included.
    mutating func string() throws(Failure) -> Range<Int> {
        try expect(UInt8(ascii: "\""), "a string")
        let start = position - 1
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            if byte == UInt8(ascii: "\"") { return start..<position }
            if byte == UInt8(ascii: "\\") {
                try escape()
            } else if byte < 0x20 {
                throw Failure(expected: "no control character in a string", offset: position - 1)
            }
        }
        throw Failure(expected: "the end of a string", offset: position)
    }

    private mutating func escape() throws(Failure) {
        guard position < bytes.count else { throw Failure(expected: "an escape", offset: position) }
        let kind = bytes[position]
        position += 1
        switch kind {
        case UInt8(ascii: "u"): try unicodeEscape()
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"), UInt8(ascii: "b"), UInt8(ascii: "f"),
            UInt8(ascii: "n"), UInt8(ascii: "r"), UInt8(ascii: "t"):
            return
        default: throw Failure(expected: "a known escape", offset: position - 1)
        }
    }

    private mutating func unicodeEscape() throws(Failure) {
        let digits = position
        let unit = try hexDigits()
        switch unit {
        case 0, 0xDC00...0xDFFF:
            replace(at: digits)
        case 0xD800...0xDBFF:
            let next = position
            if next + 1 < bytes.count, bytes[next] == UInt8(ascii: "\\"), bytes[next + 1] == UInt8(ascii: "u") {
                position = next + 2
                if (0xDC00...0xDFFF).contains(try hexDigits()) { return }
                position = next
            }
            replace(at: digits)
        default:
            return
        }
    }

    private mutating func replace(at digits: Int) {
        for (offset, digit) in "fffd".utf8.enumerated() { bytes[digits + offset] = digit }
        repairs += 1
    }

    private mutating func hexDigits() throws(Failure) -> UInt32 {
        guard position + 4 <= bytes.count else { throw Failure(expected: "four hex digits", offset: position) }
        var unit: UInt32 = 0
        for _ in 0..<4 {
            let byte = bytes[position]
            let digit: UInt8
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
            case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
            case UInt8(ascii: "A")...UInt8(ascii: "F"): digit = byte - UInt8(ascii: "A") + 10
            default: throw Failure(expected: "four hex digits", offset: position)
            }
            unit = unit << 4 | UInt32(digit)
            position += 1
        }
        return unit
    }

    /// `numeric` holds 131 072 digits before the point and 16 383 after it; what is refused here is
    /// well inside, and well beyond any number a database field holds.
    private mutating func number() throws(Failure) {
        let start = position
        if position < bytes.count, bytes[position] == UInt8(ascii: "-") { position += 1 }
        let integer = position
        let integerDigits = try digits()
        if integerDigits > 1, bytes[integer] == UInt8(ascii: "0") {
            throw Failure(expected: "a number without leading zero", offset: integer)
        }
        if position < bytes.count, bytes[position] == UInt8(ascii: ".") {
            position += 1
            _ = try digits()
        }
        if position < bytes.count, bytes[position] | 0x20 == UInt8(ascii: "e") {
            position += 1
            if position < bytes.count, bytes[position] == UInt8(ascii: "+") || bytes[position] == UInt8(ascii: "-") {
                position += 1
            }
            guard try digits() <= 4 else { throw Failure(expected: "an exponent below 10000", offset: start) }
        }
        guard position - start <= 5000 else {
            throw Failure(expected: "a number of at most 5000 digits", offset: start)
        }
    }

    private mutating func digits() throws(Failure) -> Int {
        let start = position
        while position < bytes.count, bytes[position] >= UInt8(ascii: "0"), bytes[position] <= UInt8(ascii: "9") {
            position += 1
        }
        guard position > start else { throw Failure(expected: "a value", offset: position) }
        return position - start
    }
}
