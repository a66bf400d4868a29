/// Days and times of the proleptic Gregorian calendar in UTC, written digit by digit: the cells of
/// a million records are no place for a date formatter.
enum CivilTime {
    static let millisecondsPerDay = 86_400_000

    /// 1 January 2024, before which every seeded record was last changed.
    static let seedEpoch = 1_704_067_200_000

    /// Howard Hinnant's `civil_from_days`, for days since 1 January 1970.
    static func date(ofDay day: Int) -> (year: Int, month: Int, day: Int) {
        let shifted = day + 719_468
        let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1_460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
        return (year, month, dayOfYear - (153 * shiftedMonth + 2) / 5 + 1)
    }

    /// The inverse of ``date(ofDay:)``.
    static func day(year: Int, month: Int, day: Int) -> Int {
        let shiftedYear = month <= 2 ? year - 1 : year
        let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
        let yearOfEra = shiftedYear - era * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    /// `2024-03-15`
    static func writeISO(day: Int, to writer: inout JSONWriter) {
        let date = date(ofDay: day)
        writer.digits(date.year, width: 4)
        writer.byte(UInt8(ascii: "-"))
        writer.digits(date.month, width: 2)
        writer.byte(UInt8(ascii: "-"))
        writer.digits(date.day, width: 2)
    }

    /// `03/15/2024`
    static func writeAmerican(day: Int, to writer: inout JSONWriter) {
        let date = date(ofDay: day)
        writer.digits(date.month, width: 2)
        writer.byte(UInt8(ascii: "/"))
        writer.digits(date.day, width: 2)
        writer.byte(UInt8(ascii: "/"))
        writer.digits(date.year, width: 4)
    }

    /// `2024-03-15T12:34:56.789Z`
    static func writeISO(milliseconds: Int, to writer: inout JSONWriter) {
        let (day, time) = split(milliseconds)
        writeISO(day: day, to: &writer)
        writer.byte(UInt8(ascii: "T"))
        writer.digits(time / 3_600_000, width: 2)
        writer.byte(UInt8(ascii: ":"))
        writer.digits(time / 60_000 % 60, width: 2)
        writer.byte(UInt8(ascii: ":"))
        writer.digits(time / 1_000 % 60, width: 2)
        writer.byte(UInt8(ascii: "."))
        writer.digits(time % 1_000, width: 3)
        writer.byte(UInt8(ascii: "Z"))
    }

    /// `03/15/2024 12:34 PM`
    static func writeAmerican(milliseconds: Int, to writer: inout JSONWriter) {
        let (day, time) = split(milliseconds)
        writeAmerican(day: day, to: &writer)
        let hour = time / 3_600_000
        writer.byte(0x20)
        writer.digits(hour % 12 == 0 ? 12 : hour % 12, width: 2)
        writer.byte(UInt8(ascii: ":"))
        writer.digits(time / 60_000 % 60, width: 2)
        hour < 12 ? writer.raw(" AM") : writer.raw(" PM")
    }

    static func iso(milliseconds: Int) -> String {
        var writer = JSONWriter()
        writeISO(milliseconds: milliseconds, to: &writer)
        return writer.text
    }

    private static func split(_ milliseconds: Int) -> (day: Int, time: Int) {
        let day =
            milliseconds >= 0
            ? milliseconds / millisecondsPerDay : (milliseconds - millisecondsPerDay + 1) / millisecondsPerDay
        return (day, milliseconds - day * millisecondsPerDay)
    }

    /// Days since 1970 of `2024-03-15`, nil for anything else.
    static func day(ofISO text: some StringProtocol) -> Int? {
        let parts = text.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 3, parts[0].count == 4, parts[1].count == 2, parts[2].count == 2,
            let year = Int(parts[0]), let month = Int(parts[1]), let day = Int(parts[2]),
            (1...12).contains(month), (1...31).contains(day)
        else { return nil }
        let number = self.day(year: year, month: month, day: day)
        return date(ofDay: number) == (year, month, day) ? number : nil
    }

    /// Milliseconds since 1970 of an RFC 3339 time (`2024-03-15T12:34:56.789Z`, an offset instead of
    /// `Z`, any number of fraction digits of which three count), nil for anything else.
    static func milliseconds(ofISO text: String) -> Int? {
        let halves = text.split(separator: "T", maxSplits: 1, omittingEmptySubsequences: false)
        guard halves.count == 2, let day = day(ofISO: halves[0]) else { return nil }
        var clock = halves[1]
        guard let offset = takeOffset(from: &clock) else { return nil }
        let parts = clock.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 3, let hour = Int(parts[0]), let minute = Int(parts[1]), hour < 24, minute < 60 else {
            return nil
        }
        let seconds = parts[2].split(separator: ".", omittingEmptySubsequences: false)
        guard let second = seconds.first.flatMap({ Int($0) }), second < 61, seconds.count <= 2 else { return nil }
        var fraction = 0
        if seconds.count == 2 {
            guard !seconds[1].isEmpty, seconds[1].allSatisfy(\.isNumber) else { return nil }
            fraction = Int((seconds[1] + "000").prefix(3)) ?? 0
        }
        let minutes = (hour * 60 + minute - offset) * 60
        return day * millisecondsPerDay + (minutes + second) * 1_000 + fraction
    }

    /// Minutes east of UTC.
    private static func takeOffset(from clock: inout Substring) -> Int? {
        if clock.last == "Z" {
            clock.removeLast()
            return 0
        }
        guard let sign = clock.lastIndex(where: { $0 == "+" || $0 == "-" }) else { return nil }
        let parts = clock[clock.index(after: sign)...].split(separator: ":")
        guard parts.count == 2, let hours = Int(parts[0]), let minutes = Int(parts[1]) else { return nil }
        let factor = clock[sign] == "-" ? -1 : 1
        clock = clock[..<sign]
        return factor * (hours * 60 + minutes)
    }
}
