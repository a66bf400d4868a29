/// `application/x-www-form-urlencoded` fields, of a body or a query.
struct FormFields: Sendable {
    private let pairs: [(name: String, value: String)]

    /// Nil where an escape is broken or the text is not UTF-8.
    init?(_ bytes: some Sequence<UInt8>) {
        var pairs: [(String, String)] = []
        for piece in Array(bytes).split(separator: UInt8(ascii: "&")) {
            let halves = piece.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decode(halves[0]), let value = Self.decode(halves.count > 1 ? halves[1] : []) else {
                return nil
            }
            pairs.append((name, value))
        }
        self.pairs = pairs
    }

    /// The first one of that name.
    subscript(name: String) -> String? { pairs.first { $0.name == name }?.value }

    /// Parameters must not come twice (RFC 6749 section 3.2).
    var repeated: String? {
        var seen: Set<String> = []
        return pairs.first { !seen.insert($0.name).inserted }?.name
    }

    private static func decode(_ bytes: ArraySlice<UInt8>) -> String? {
        var result: [UInt8] = []
        var rest = bytes
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "+"): result.append(0x20)
            case UInt8(ascii: "%"):
                guard let high = rest.popFirst(), let low = rest.popFirst(),
                    let decoded = UInt8(String(decoding: [high, low], as: UTF8.self), radix: 16)
                else { return nil }
                result.append(decoded)
            default: result.append(byte)
            }
        }
        return String(validating: result, as: UTF8.self)
    }

    /// Percent-encodes everything but unreserved characters (RFC 3986 section 2.3).
    static func encode(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let isUnreserved =
                (byte >= 0x30 && byte <= 0x39) || (byte >= 0x41 && byte <= 0x5A) || (byte >= 0x61 && byte <= 0x7A)
                || "-._~".utf8.contains(byte)
            if isUnreserved {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }
}
