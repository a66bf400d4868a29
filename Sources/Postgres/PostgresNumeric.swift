package import Foundation

/// numeric's binary form: base-10000 digits, the weight of the first, a sign and the number of
/// decimal places that are shown.
extension Decimal: PostgresEncodable {
    package static var postgresType: PostgresType { .numeric }

    package func encode(as type: PostgresType, into bytes: inout [UInt8]) -> Bool {
        guard type == .numeric, !isNaN else { return false }
        let number = DecimalText(self)
        let (groups, weight) = number.groups()
        bytes.append(bigEndian: Int16(groups.count))
        bytes.append(bigEndian: Int16(weight))
        bytes.append(bigEndian: number.isNegative ? Sign.negative : Sign.positive)
        bytes.append(bigEndian: Int16(number.places))
        for group in groups { bytes.append(bigEndian: group) }
        return true
    }
}

extension Decimal: PostgresDecodable {
    /// Exact or an error: `Decimal` holds 38 digits, numeric more.
    package static func decode(_ value: PostgresValue) throws(PostgresDecodingProblem) -> Decimal {
        let bytes = try value.nonNull()
        switch value.type {
        case .numeric: break
        case .int2, .int4, .int8: return Decimal(try Int64.decode(value))
        default: throw .type
        }
        var reader = BinaryReader(bytes)
        guard let count: Int16 = reader.integer(), let weight: Int16 = reader.integer(),
            let sign: UInt16 = reader.integer(), let _: Int16 = reader.integer(), count >= 0
        else { throw .malformed }
        switch sign {
        case Sign.positive, Sign.negative: break
        case Sign.notANumber: throw .value("NaN")
        default: throw .value("an infinite number")
        }
        var digits = ""
        for _ in 0..<count {
            guard let group: Int16 = reader.integer(), (0..<10_000).contains(group) else { throw .malformed }
            let text = String(group)
            digits += String(repeating: "0", count: 4 - text.count) + text
        }
        return try decimal(
            digits: digits,
            exponent: 4 * (Int(weight) - Int(count) + 1),
            isNegative: sign == Sign.negative
        )
    }

    private static func decimal(
        digits: String,
        exponent: Int,
        isNegative: Bool
    ) throws(PostgresDecodingProblem) -> Decimal {
        var exponent = exponent
        var significant = Substring(digits.drop { $0 == "0" })
        while significant.last == "0" {
            significant.removeLast()
            exponent += 1
        }
        if significant.isEmpty { return 0 }
        // An exponent past Decimal's range is made up for with zeros where they fit.
        while exponent > 127, significant.count < 38 {
            significant += "0"
            exponent -= 1
        }
        guard significant.count <= 38, (-128...127).contains(exponent),
            let decimal = Decimal(string: "\(isNegative ? "-" : "")\(significant)e\(exponent)", locale: nil)
        else { throw .value("a number of more digits than Decimal holds") }
        return decimal
    }
}

private enum Sign {
    static let positive: UInt16 = 0
    static let negative: UInt16 = 0x4000
    static let notANumber: UInt16 = 0xC000
}

/// A decimal number taken apart into its digits and where the point stands.
private struct DecimalText {
    var isNegative: Bool
    /// Without leading zeros before the point, at least "" .
    var whole: [UInt8]
    var fraction: [UInt8]

    var places: Int { fraction.count }

    init(_ decimal: Decimal) {
        var text = Substring(decimal.description)
        isNegative = text.hasPrefix("-")
        if isNegative { text.removeFirst() }
        let parts = text.split(separator: ".", maxSplits: 1, omittingEmptySubsequences: false)
        whole = parts[0].utf8.map { $0 - 48 }.drop { $0 == 0 }.map { $0 }
        fraction = parts.count > 1 ? parts[1].utf8.map { $0 - 48 } : []
    }

    /// Base-10000 digits without zeros at either end, and the power of the first.
    func groups() -> (groups: [Int16], weight: Int) {
        let left = [UInt8](repeating: 0, count: (4 - whole.count % 4) % 4) + whole
        let right = fraction + [UInt8](repeating: 0, count: (4 - fraction.count % 4) % 4)
        let digits = left + right
        var groups = stride(from: 0, to: digits.count, by: 4).map { start in
            digits[start..<start + 4].reduce(Int16(0)) { $0 * 10 + Int16($1) }
        }
        var weight = left.count / 4 - 1
        while groups.first == 0 {
            groups.removeFirst()
            weight -= 1
        }
        while groups.last == 0 { groups.removeLast() }
        return (groups, groups.isEmpty ? 0 : weight)
    }
}
