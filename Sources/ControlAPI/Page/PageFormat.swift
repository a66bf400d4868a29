import Foundation

/// How the page writes numbers and times: rounded for reading, exact in the title.
enum PageFormat {
    /// `1 234`, `12.5`; thin spaces between thousands.
    static func number(_ value: Double?) -> String? {
        guard var value, value.isFinite else { return nil }
        if abs(value) >= 1000 { value.round() }
        guard value == value.rounded(), abs(value) < 1e15 else { return String(format: "%.3g", value) }
        var digits = String(Int64(abs(value)))
        var groups: [Substring] = []
        while digits.count > 3 {
            groups.insert(digits.suffix(3), at: 0)
            digits = String(digits.dropLast(3))
        }
        let whole = ([digits] + groups.map(String.init)).joined(separator: "\u{202F}")
        return value < 0 ? "-" + whole : whole
    }

    /// `850 ms`, `14 s`, `3 min`, `5 h`, `12 d`.
    static func span(_ seconds: Double?) -> String? {
        guard let seconds, seconds.isFinite else { return nil }
        if seconds < 0 { return span(-seconds).map { "-" + $0 } }
        return switch seconds {
        case ..<1: "\(Int((seconds * 1000).rounded())) ms"
        case ..<120: "\(Int(seconds.rounded())) s"
        case ..<7200: "\(Int((seconds / 60).rounded())) min"
        case ..<172_800: "\(Int((seconds / 3600).rounded())) h"
        default: "\(Int((seconds / 86_400).rounded())) d"
        }
    }

    static func distance(_ date: Date?, from now: Date) -> String? {
        guard let date else { return nil }
        let seconds = date.timeIntervalSince(now)
        return seconds > 0 ? span(seconds).map { "in " + $0 } : span(-seconds).map { $0 + " ago" }
    }

    /// `2026-03-01 14:05:09 UTC`.
    static func stamp(_ date: Date?) -> String? {
        date.map {
            $0.formatted(
                Date.ISO8601FormatStyle(dateTimeSeparator: .space).year().month().day().time(
                    includingFractionalSeconds: false
                )
            ) + " UTC"
        }
    }

    /// `12.5/s`; what comes less often than every ten seconds `3/min`, or `2/h`.
    static func rate(_ value: Double?) -> String? {
        value.map { rate in
            switch rate {
            case 1000...: (number(rate) ?? "∞") + "/s"
            case 0, 0.1...: String(format: "%.3g/s", rate)
            case (0.1 / 60)...: String(format: "%.3g/min", rate * 60)
            default: String(format: "%.3g/h", rate * 3600)
            }
        }
    }

    static func percent(_ share: Double?) -> String? { share.map { String(format: "%.1f %%", $0 * 100) } }
}

extension PageCell {
    static func number(_ value: Double?, link: String? = nil, tone: String = "") -> PageCell {
        PageCell(PageFormat.number(value), link: link, tone: tone.isEmpty ? "num" : "num \(tone)")
    }

    static func span(_ seconds: Double?, tone: String = "") -> PageCell {
        PageCell(PageFormat.span(seconds), tone: "num \(tone)", exact: seconds.map { "\($0) s" })
    }

    static func time(_ date: Date?, from now: Date, tone: String = "") -> PageCell {
        PageCell(PageFormat.distance(date, from: now), tone: tone, exact: PageFormat.stamp(date))
    }

    static func tenant(_ id: String) -> PageCell { PageCell(id, link: "/tenants/\(pathEncoded(id))") }

    static func job(_ id: Double?) -> PageCell {
        guard let id else { return PageCell(nil) }
        return PageCell(String(Int64(id)), link: "/jobs/\(Int64(id))", tone: "num")
    }

    static func state(_ state: String) -> PageCell { PageCell(state, tone: "state \(tone(of: state))") }

    /// Colour never stands alone: the word is always there.
    static func tone(of state: String) -> String {
        switch state {
        case "discarded", "needs_authorization", "lapsed", "silent", "suspicious", "kill", "discard": "bad"
        case "parked", "paused", "stopping", "abandoned", "retry", "cancelled": "warn"
        case "completed", "active", "working", "merged", "running": "good"
        default: ""
        }
    }
}

/// A text as one part of a path.
func pathEncoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~:"))) ?? ""
}

/// A text as a value in a query.
func queryEncoded(_ text: String) -> String {
    text.addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? ""
}
