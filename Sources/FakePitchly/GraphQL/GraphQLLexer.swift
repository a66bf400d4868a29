/// Cuts GraphQL text into tokens (GraphQL specification, section 2.1). Commas, comments, white space
/// and a byte order mark are skipped.
struct GraphQLLexer {
    enum Token: Equatable {
        case punctuator(Character)
        case spread
        case name(String)
        case int(String)
        case float(String)
        case string(String)
        case end

        var shown: String {
            switch self {
            case .punctuator(let character): "\"\(character)\""
            case .spread: "\"...\""
            case .name(let name): "Name \"\(name)\""
            case .int(let text): "Int \"\(text)\""
            case .float(let text): "Float \"\(text)\""
            case .string(let text): "String \"\(text)\""
            case .end: "<EOF>"
            }
        }
    }

    private let bytes: [UInt8]
    private(set) var place = 0

    init(_ text: String) { bytes = Array(text.utf8) }

    private func peek(_ ahead: Int = 0) -> UInt8? {
        place + ahead < bytes.count ? bytes[place + ahead] : nil
    }

    private mutating func skipIgnored() {
        while let byte = peek() {
            switch byte {
            case 0x20, 0x09, 0x0A, 0x0D, 0x2C: place += 1
            case 0xEF where bytes[place...].starts(with: [0xEF, 0xBB, 0xBF]): place += 3
            case 0x23: while let next = peek(), next != 0x0A, next != 0x0D { place += 1 }
            default: return
            }
        }
    }

    /// The next token and the byte it starts at.
    mutating func next() throws(GraphQLError) -> (token: Token, offset: Int) {
        skipIgnored()
        let start = place
        guard let byte = peek() else { return (.end, start) }
        switch byte {
        case UInt8(ascii: "."):
            guard bytes[place...].starts(with: "...".utf8) else {
                throw .syntax("Unexpected character: \".\".", at: start)
            }
            place += 3
            return (.spread, start)
        case let byte where "!$&()[]{}:=@|".utf8.contains(byte):
            place += 1
            return (.punctuator(Character(Unicode.Scalar(byte))), start)
        case UInt8(ascii: "\""): return (.string(try string()), start)
        case let byte where byte.startsName: return (.name(name()), start)
        case let byte where byte.isDigit || byte == UInt8(ascii: "-"): return (try number(), start)
        default:
            let character = Character(Unicode.Scalar(byte))
            throw .syntax("Unexpected character: \"\(character)\".", at: start)
        }
    }

    private mutating func name() -> String {
        let start = place
        while let byte = peek(), byte.startsName || byte.isDigit { place += 1 }
        return String(decoding: bytes[start..<place], as: UTF8.self)
    }

    private mutating func number() throws(GraphQLError) -> Token {
        let start = place
        var isFloat = false
        if peek() == UInt8(ascii: "-") { place += 1 }
        let leadingZero = peek() == UInt8(ascii: "0")
        let wholeStart = place
        let whole = digits()
        if leadingZero, whole > 1 {
            let digit = Character(Unicode.Scalar(bytes[wholeStart + 1]))
            throw .syntax("Invalid number, unexpected digit after 0: \"\(digit)\".", at: wholeStart + 1)
        }
        guard whole > 0 else { throw .syntax("Invalid number, expected digit.", at: place) }
        if peek() == UInt8(ascii: ".") {
            isFloat = true
            place += 1
            guard digits() > 0 else { throw .syntax("Invalid number, expected digit.", at: place) }
        }
        if peek() == UInt8(ascii: "e") || peek() == UInt8(ascii: "E") {
            isFloat = true
            place += 1
            if peek() == UInt8(ascii: "+") || peek() == UInt8(ascii: "-") { place += 1 }
            guard digits() > 0 else { throw .syntax("Invalid number, expected digit.", at: place) }
        }
        if let byte = peek(), byte.startsName || byte == UInt8(ascii: ".") {
            throw .syntax("Invalid number, expected digit.", at: place)
        }
        let text = String(decoding: bytes[start..<place], as: UTF8.self)
        return isFloat ? .float(text) : .int(text)
    }

    private mutating func digits() -> Int {
        let start = place
        while let byte = peek(), byte.isDigit { place += 1 }
        return place - start
    }

    private mutating func string() throws(GraphQLError) -> String {
        if bytes[place...].starts(with: "\"\"\"".utf8) { return try blockString() }
        let start = place
        place += 1
        // The escapes are JSON's; only a line feed ends the search early.
        while let byte = peek(), byte != UInt8(ascii: "\""), byte != 0x0A, byte != 0x0D {
            place += byte == UInt8(ascii: "\\") ? 2 : 1
        }
        guard peek() == UInt8(ascii: "\"") else { throw .syntax("Unterminated string.", at: start) }
        place += 1
        guard let value = try? JSONParser.parse(bytes[start..<place]), let text = value.stringValue else {
            throw .syntax("Invalid character escape sequence or character in string.", at: start)
        }
        return text
    }

    private mutating func blockString() throws(GraphQLError) -> String {
        let start = place
        place += 3
        var raw: [UInt8] = []
        while !bytes[min(place, bytes.count)...].starts(with: "\"\"\"".utf8) {
            guard let byte = peek() else { throw .syntax("Unterminated string.", at: start) }
            if bytes[place...].starts(with: "\\\"\"\"".utf8) {
                raw += "\"\"\"".utf8
                place += 4
            } else {
                raw.append(byte)
                place += 1
            }
        }
        place += 3
        return Self.dedented(String(decoding: raw, as: UTF8.self))
    }

    /// Section 2.9.4, BlockStringValue(): common indentation and blank first and last lines go.
    private static func dedented(_ raw: String) -> String {
        var lines = raw.split(omittingEmptySubsequences: false) { $0.isNewline }.map(String.init)
        let isBlank = { (line: String) in line.allSatisfy { $0 == " " || $0 == "\t" } }
        let indents = lines.dropFirst().filter { !isBlank($0) }.map { $0.prefix { $0 == " " || $0 == "\t" }.count }
        if let common = indents.min() {
            lines = [lines[0]] + lines.dropFirst().map { String($0.dropFirst(common)) }
        }
        while let first = lines.first, isBlank(first) { lines.removeFirst() }
        while let last = lines.last, isBlank(last) { lines.removeLast() }
        return lines.joined(separator: "\n")
    }
}

extension UInt8 {
    fileprivate var isDigit: Bool { self >= 0x30 && self <= 0x39 }
    fileprivate var startsName: Bool {
        (self >= 0x41 && self <= 0x5A) || (self >= 0x61 && self <= 0x7A) || self == UInt8(ascii: "_")
    }
}
