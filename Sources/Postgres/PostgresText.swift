package import Foundation

extension Bool {
    package var postgresText: String? { self ? "t" : "f" }
}

extension PostgresEncodable where Self: FixedWidthInteger {
    package var postgresText: String? { String(self) }
}

extension Double {
    package var postgresText: String? { PostgresText.number(description) }
}

extension Float {
    package var postgresText: String? { PostgresText.number(description) }
}

extension Decimal {
    package var postgresText: String? { isNaN ? nil : description }
}

extension String {
    package var postgresText: String? { utf8.contains(0) ? nil : self }
}

extension PostgresJSON {
    package var postgresText: String? { text.postgresText }
}

extension UUID {
    package var postgresText: String? { uuidString.lowercased() }
}

extension Date {
    package var postgresText: String? { PostgresText.time(self) }
}

extension Array where Element: PostgresArrayElement {
    package var postgresText: String? { Element.text(array: self) }
}

/// Literals whose form needs some work.
enum PostgresText {
    static func bytea(_ bytes: [UInt8]) -> String {
        let digits = Array("0123456789abcdef".utf8)
        let hex = bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }
        return #"\x"# + String(decoding: hex, as: UTF8.self)
    }

    /// Swift's shortest form that reads back as the same number, with SQL's words for the rest.
    static func number(_ description: String) -> String {
        switch description {
        case "nan": "NaN"
        case "inf": "Infinity"
        case "-inf": "-Infinity"
        default: description
        }
    }

    static func time(_ date: Date) -> String? {
        guard let microseconds = PostgresTime.microseconds(of: date) else { return nil }
        // The server adds the interval to its own epoch exactly; a calendar is not needed for that,
        // but a literal is, so the day is found by the proleptic Gregorian calendar.
        let day = microseconds.flooredDivision(by: 86_400_000_000)
        let inDay = microseconds - day * 86_400_000_000
        let civil = CivilDay(daysSince2000: day)
        let seconds = inDay / 1_000_000
        let clock = [seconds / 3600, seconds / 60 % 60, seconds % 60].map { padded($0, 2) }.joined(separator: ":")
        let year = civil.year > 0 ? civil.year : 1 - civil.year
        return "\(padded(year, 4))-\(padded(civil.month, 2))-\(padded(civil.day, 2)) \(clock)."
            + "\(padded(inDay % 1_000_000, 6))+00\(civil.year > 0 ? "" : " BC")"
    }

    /// `{"a",NULL}`: nil elements of `texts` are NULL.
    static func array(_ texts: [String?]) -> String {
        "{" + texts.map { $0.map(quoted) ?? "NULL" }.joined(separator: ",") + "}"
    }

    private static func quoted(_ text: String) -> String {
        var result = "\""
        for character in text.unicodeScalars {
            if character == "\"" || character == "\\" { result.unicodeScalars.append("\\") }
            result.unicodeScalars.append(character)
        }
        return result + "\""
    }

    private static func padded(_ number: Int64, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension Int64 {
    fileprivate func flooredDivision(by divisor: Int64) -> Int64 {
        let quotient = self / divisor
        return self % divisor < 0 ? quotient - 1 : quotient
    }
}

/// A date of the proleptic Gregorian calendar, by Howard Hinnant's days-to-civil algorithm.
private struct CivilDay {
    /// 0 is 1 BC.
    let year: Int64
    let month: Int64
    let day: Int64

    init(daysSince2000: Int64) {
        let days = daysSince2000 + 730_425  // from 0000-03-01 to 2000-01-01
        let era = days.flooredDivision(by: 146_097)
        let dayOfEra = days - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shifted = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * shifted + 2) / 5 + 1
        month = shifted < 10 ? shifted + 3 : shifted - 9
        year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    }
}
