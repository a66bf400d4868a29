import Foundation

/// timestamptz: microseconds since the start of the year 2000, UTC.
///
/// `Date` counts seconds as a `Double` from 2001, which holds every microsecond up to the year
/// 2137; beyond that its own resolution is coarser.
enum PostgresTime {
    /// From 2000-01-01 to Date's reference date 2001-01-01: a leap year.
    private static let secondsToReferenceDate: Int64 = 366 * 86400

    /// The range of timestamptz: 4713 BC to 294276 AD.
    private static let range: ClosedRange<Int64> = -211_813_488_000_000_000...9_223_371_331_199_999_999

    /// Nil for a date outside the range of timestamptz.
    static func microseconds(of date: Date) -> Int64? {
        let seconds = date.timeIntervalSinceReferenceDate
        let whole = seconds.rounded(.down)
        guard let wholeSeconds = Int64(exactly: whole) else { return nil }
        let fraction = Int64(((seconds - whole) * 1e6).rounded())
        let (scaled, overflow) = (wholeSeconds + secondsToReferenceDate).multipliedReportingOverflow(by: 1_000_000)
        guard !overflow else { return nil }
        let (sum, sumOverflow) = scaled.addingReportingOverflow(fraction)
        return !sumOverflow && range.contains(sum) ? sum : nil
    }

    /// Nil for infinity and -infinity.
    static func date(microseconds: Int64) -> Date? {
        guard microseconds != .max, microseconds != .min else { return nil }
        let (seconds, fraction) = microseconds.quotientAndRemainder(dividingBy: 1_000_000)
        return Date(
            timeIntervalSinceReferenceDate: Double(seconds - secondsToReferenceDate) + Double(fraction) / 1e6
        )
    }
}
