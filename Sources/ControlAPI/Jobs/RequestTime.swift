import Foundation

/// A moment as requests write it: RFC 3339 with an offset; PostgreSQL would also take `tomorrow`.
enum RequestTime {
    static let form = "to be a time like 2026-11-24T08:00:00Z (RFC 3339)"

    private typealias Parts = (
        Substring, Substring, Substring, Substring, Substring, Substring, Substring, Substring?, Substring
    )

    private static func parts(_ text: String) -> Parts? {
        text.wholeMatch(
            of:
                #/([12][0-9]{3})-([0-9]{2})-([0-9]{2})[Tt ]([0-9]{2}):([0-9]{2}):([0-9]{2})(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})/#
        )?.output
    }

    /// Whether it is written so; there need not be such a day.
    static func hasForm(_ text: String) -> Bool { parts(text) != nil }

    /// - Returns: nil if it is not written so, or if no clock shows it.
    static func date(_ text: String) -> Date? {
        guard let match = parts(text) else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .gmt
        let components = DateComponents(
            calendar: calendar,
            year: Int(match.1),
            month: Int(match.2),
            day: Int(match.3),
            hour: Int(match.4),
            minute: Int(match.5),
            second: Int(match.6)
        )
        guard components.isValidDate, let whole = components.date, let offset = offset(match.8) else { return nil }
        return whole.addingTimeInterval(match.7.flatMap { Double("0" + $0) } ?? 0).addingTimeInterval(-offset)
    }

    /// Seconds east of Greenwich.
    private static func offset(_ text: Substring) -> Double? {
        let parts = text.dropFirst().split(separator: ":").compactMap { Double($0) }
        guard parts.count == 2 else { return 0 }
        guard parts[0] < 24, parts[1] < 60 else { return nil }
        return (text.first == "-" ? -1 : 1) * (parts[0] * 3600 + parts[1] * 60)
    }
}
