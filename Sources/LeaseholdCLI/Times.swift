import Foundation

/// How the commands write times: as distances from now, because that is what people ask for.
enum Times {
    /// `in 14 min`, `3 s ago`; nil stays nil.
    static func distance(_ date: Date?, from now: Date) -> String? {
        guard let date else { return nil }
        let seconds = date.timeIntervalSince(now)
        return seconds >= 0 ? "in \(span(seconds))" : "\(span(-seconds)) ago"
    }

    /// The largest fitting unit: `850 ms`, `14 s`, `3 min`, `5 h`, `12 d`.
    static func span(_ seconds: Double) -> String {
        switch seconds {
        case ..<1: "\(Int((seconds * 1000).rounded())) ms"
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7200: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: "\(Int((seconds / 3600).rounded())) h"
        default: "\(Int((seconds / 86400).rounded())) d"
        }
    }

    /// `2026-03-01 14:05:09Z`.
    static func stamp(_ date: Date?) -> String? {
        date?.formatted(Date.ISO8601FormatStyle(dateTimeSeparator: .space))
    }
}
