package import Foundation
import LeaseholdCore

/// The delay of a `Retry-After` header: seconds or a date (RFC 9110 section 10.2.3).
///
/// Nil for none and for one that cannot be read; never negative, and at most an hour, because a
/// misread date must not stop a tenant for a year.
package func retryAfterDelay(_ header: String?, now: Date) -> Duration? {
    guard let text = header?.trimmingCharacters(in: .whitespaces), !text.isEmpty else { return nil }
    let limit = 3600.0
    if let seconds = Double(text), seconds >= 0 { return .seconds(min(seconds, limit)) }
    guard let date = httpDate(text) else { return nil }
    return .seconds(min(max(date.timeIntervalSince(now), 0), limit))
}

/// The one form that senders may use: `Sun, 06 Nov 1994 08:49:37 GMT`.
func httpDate(_ text: String) -> Date? {
    let formatter = DateFormatter()
    formatter.locale = Locale(identifier: "en_US_POSIX")
    formatter.timeZone = TimeZone(identifier: "GMT")
    formatter.dateFormat = "EEE, dd MMM yyyy HH:mm:ss zzz"
    return formatter.date(from: text)
}
