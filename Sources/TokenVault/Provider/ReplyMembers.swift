/// The top-level members of a JSON object, as far as the bytes go.
///
/// A reply may be cut anywhere, and the connection that brought it cannot be asked again: every
/// member that has arrived whole is worth keeping. So this reads a prefix of a JSON text, where
/// `JSONDecoder` would refuse it, and looks at nothing below the top level.
struct ReplyMembers {
    enum Value: Equatable {
        case text(String)
        /// As written; numbers outside what Double holds exactly stay as they are.
        case number(String)
        case bool(Bool)
        case null
        /// An object or array, not looked into.
        case nested
    }

    /// The last of each name, as JavaScript reads it.
    private(set) var members: [String: Value] = [:]
    /// The text ended with the object's closing brace and nothing but white space after it.
    private(set) var isWhole = false

    /// Nil if the bytes do not begin like a JSON object.
    init?(_ bytes: [UInt8]) {
        var scanner = JSONPrefixScanner(bytes)
        scanner.skipByteOrderMark()
        scanner.skipWhiteSpace()
        guard scanner.take(UInt8(ascii: "{")) else { return nil }
        while let (name, value) = scanner.member() {
            members[name] = value
            scanner.skipWhiteSpace()
            if !scanner.take(UInt8(ascii: ",")) { break }
        }
        scanner.skipWhiteSpace()
        isWhole = scanner.take(UInt8(ascii: "}")) && scanner.isAtEndAfterWhiteSpace
    }

    /// A text that is not empty.
    func text(_ name: String) -> String? {
        guard case .text(let text)? = members[name], !text.isEmpty else { return nil }
        return text
    }

    /// A number, also one that was written as a text.
    func number(_ name: String) -> Double? {
        switch members[name] {
        case .number(let text)?, .text(let text)?: Double(text)
        default: nil
        }
    }

    /// The member is there and is neither null, false, an empty text nor zero.
    func isTruthy(_ name: String) -> Bool {
        switch members[name] {
        case nil, .null?, .bool(false)?: false
        case .text(let text)?: !text.isEmpty
        case .number(let text)?: Double(text) != 0
        case .bool(true)?, .nested?: true
        }
    }
}

/// Reads JSON from left to right and says nil where the bytes end too early or are no JSON.
struct JSONPrefixScanner {
    private let bytes: [UInt8]
    private var position = 0
    /// Deeper nesting than this is taken for garbage.
    private static let depthLimit = 64

    init(_ bytes: [UInt8]) { self.bytes = bytes }

    private var current: UInt8? { position < bytes.count ? bytes[position] : nil }

    var isAtEndAfterWhiteSpace: Bool {
        var copy = self
        copy.skipWhiteSpace()
        return copy.current == nil
    }

    mutating func skipByteOrderMark() {
        if bytes.starts(with: [0xEF, 0xBB, 0xBF]) { position = 3 }
    }

    mutating func skipWhiteSpace() {
        while let byte = current, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { position += 1 }
    }

    mutating func take(_ byte: UInt8) -> Bool {
        guard current == byte else { return false }
        position += 1
        return true
    }

    mutating func member() -> (String, ReplyMembers.Value)? {
        skipWhiteSpace()
        guard let name = string() else { return nil }
        skipWhiteSpace()
        guard take(UInt8(ascii: ":")), let value = value() else { return nil }
        return (name, value)
    }

    private mutating func value() -> ReplyMembers.Value? {
        skipWhiteSpace()
        switch current {
        case UInt8(ascii: "\"")?: return string().map { .text($0) }
        case UInt8(ascii: "{")?, UInt8(ascii: "[")?: return skipNested() ? .nested : nil
        case UInt8(ascii: "t")?: return literal("true") ? .bool(true) : nil
        case UInt8(ascii: "f")?: return literal("false") ? .bool(false) : nil
        case UInt8(ascii: "n")?: return literal("null") ? .null : nil
        default: return number().map { .number($0) }
        }
    }

    private mutating func literal(_ word: String) -> Bool {
        let end = position + word.utf8.count
        guard end <= bytes.count, bytes[position..<end].elementsEqual(word.utf8) else { return false }
        position = end
        return true
    }

    /// A number counts only if something follows it: `36` may be the beginning of `3600`.
    private mutating func number() -> String? {
        let start = position
        while let byte = current, "+-.eE".utf8.contains(byte) || (0x30...0x39).contains(byte) { position += 1 }
        guard position > start, current != nil else { return nil }
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        return Double(text) == nil ? nil : text
    }

    private mutating func string() -> String? {
        guard take(UInt8(ascii: "\"")) else { return nil }
        var text: [UInt8] = []
        while let byte = current {
            position += 1
            switch byte {
            case UInt8(ascii: "\""): return String(validating: text, as: UTF8.self)
            case UInt8(ascii: "\\"):
                guard appendEscape(to: &text) else { return nil }
            case 0..<0x20: return nil
            default: text.append(byte)
            }
        }
        return nil
    }

    private mutating func appendEscape(to text: inout [UInt8]) -> Bool {
        guard let byte = current else { return false }
        position += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): text.append(byte)
        case UInt8(ascii: "b"): text.append(0x08)
        case UInt8(ascii: "f"): text.append(0x0C)
        case UInt8(ascii: "n"): text.append(0x0A)
        case UInt8(ascii: "r"): text.append(0x0D)
        case UInt8(ascii: "t"): text.append(0x09)
        case UInt8(ascii: "u"):
            guard let scalar = escapedScalar() else { return false }
            text.append(contentsOf: Character(scalar).utf8)
        default: return false
        }
        return true
    }

    /// Four hex digits, and four more after `\u` where the first are half of a surrogate pair.
    private mutating func escapedScalar() -> Unicode.Scalar? {
        guard let first = hexUnit() else { return nil }
        guard (0xD800...0xDBFF).contains(first) else { return Unicode.Scalar(UInt32(first)) }
        guard take(UInt8(ascii: "\\")), take(UInt8(ascii: "u")), let second = hexUnit(),
            (0xDC00...0xDFFF).contains(second)
        else { return nil }
        return Unicode.Scalar(0x10000 + (UInt32(first) - 0xD800) << 10 + UInt32(second) - 0xDC00)
    }

    private mutating func hexUnit() -> UInt16? {
        guard position + 4 <= bytes.count else { return nil }
        let digits = bytes[position..<position + 4]
        guard digits.allSatisfy({ Character(Unicode.Scalar($0)).isHexDigit }) else { return nil }
        position += 4
        return UInt16(String(decoding: digits, as: UTF8.self), radix: 16)
    }

    /// Steps over an object or array, strings inside it included.
    private mutating func skipNested() -> Bool {
        var depth = 0
        while let byte = current {
            switch byte {
            case UInt8(ascii: "\""):
                guard string() != nil else { return false }
                continue
            case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            default: break
            }
            position += 1
            if depth == 0 { return true }
            if depth > Self.depthLimit { return false }
        }
        return false
    }
}
