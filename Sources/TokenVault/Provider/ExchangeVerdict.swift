import Foundation
import LeaseholdCore

/// What one POST means. The table is in the type: every case is a row of it.
enum ExchangeVerdict: Sendable {
    /// A successor, or at least an access token.
    case tokens(TokenSet)
    /// The request never reached the provider: nothing was spent.
    case notSent
    /// 429: nothing was spent, and the provider wants fewer exchanges.
    case throttled(retryAfter: Duration)
    /// `invalid_grant`: what was presented is worth nothing.
    case dead
    /// The provider refuses our client or our request, whatever is presented. The code is one of RFC 6749.
    case misconfigured(code: String)
    /// What was presented may have been exchanged. `rest` is an access token that arrived before the
    /// reply was cut.
    case ambiguous(errorClass: String, rest: TokenSet?)

    /// A name without any text of the provider, for the log and for metrics.
    var errorClass: String? {
        switch self {
        case .tokens: nil
        case .notSent: "not_sent"
        case .throttled: "throttled"
        case .dead: "invalid_grant"
        case .misconfigured(let code): code
        case .ambiguous(let errorClass, _): errorClass
        }
    }
}

extension ExchangeVerdict {
    /// Whether what was presented may be worth nothing now.
    var maySpend: Bool {
        switch self {
        case .tokens, .dead, .ambiguous: true
        case .notSent, .throttled, .misconfigured: false
        }
    }

    /// RFC 6749 section 5.2, less `invalid_grant`: none of them says anything about the tenant's token.
    private static let configurationErrors: Set<String> = [
        "invalid_client", "unauthorized_client", "unsupported_grant_type", "invalid_scope", "invalid_request",
    ]

    /// - Parameter now: what `Retry-After` as a date is compared with.
    init(_ reply: TokenEndpointReply, grant: String, profile: ProviderProfile, now: Date) {
        switch reply {
        case .notSent: self = .notSent
        case .noReply: self = .ambiguous(errorClass: "no_reply", rest: nil)
        case .answered(429, _, let retryAfter, _, _):
            self = .throttled(retryAfter: RetryAfter.delay(retryAfter, now: now, profile: profile))
        case .answered(500..., _, _, _, _): self = .ambiguous(errorClass: "http_5xx", rest: nil)
        case .answered(let status, _, _, let body, let complete):
            self = Self.judge(status: status, body: body, complete: complete, grant: grant, profile: profile)
        }
    }

    private static func judge(
        status: Int,
        body: [UInt8],
        complete: Bool,
        grant: String,
        profile: ProviderProfile
    ) -> ExchangeVerdict {
        guard let members = ReplyMembers(body) else {
            return .ambiguous(errorClass: complete ? "not_json" : "cut_reply", rest: nil)
        }
        if members.isTruthy("error") { return judge(error: members.text("error")) }
        guard (200..<300).contains(status) else {
            return .ambiguous(errorClass: status < 400 ? "redirect" : "http_4xx", rest: nil)
        }
        guard let tokens = TokenSet(members, profile: profile) else {
            return .ambiguous(errorClass: members.isWhole ? "no_token" : "cut_reply", rest: nil)
        }
        // A cut reply without a refresh token must not be read as "the old one stays valid".
        let mayLackRefreshToken = members.isWhole || grant == "client_credentials"
        guard tokens.refreshToken != nil || mayLackRefreshToken else {
            return .ambiguous(errorClass: "cut_reply", rest: tokens)
        }
        return .tokens(tokens)
    }

    private static func judge(error code: String?) -> ExchangeVerdict {
        switch code {
        case "invalid_grant"?: .dead
        case let code? where configurationErrors.contains(code): .misconfigured(code: code)
        default: .ambiguous(errorClass: "unknown_error", rest: nil)
        }
    }
}

/// `Retry-After` (RFC 9110 section 10.2.3): seconds, or a date in one of the three forms of section 5.6.7.
enum RetryAfter {
    static func delay(_ text: String?, now: Date, profile: ProviderProfile) -> Duration {
        guard let text, let seconds = seconds(text, now: now) else { return profile.defaultRetryAfter }
        return min(max(.seconds(seconds), .seconds(1)), profile.longestRetryAfter)
    }

    private static func seconds(_ text: String, now: Date) -> Double? {
        let trimmed = text.trimmingCharacters(in: .whitespaces)
        if !trimmed.isEmpty, trimmed.utf8.allSatisfy({ (0x30...0x39).contains($0) }) {
            return Double(trimmed).map { min($0, 1e9) }
        }
        return date(trimmed).map { $0.timeIntervalSince(now) }
    }

    private static func date(_ text: String) -> Date? {
        let formatter = DateFormatter()
        formatter.locale = Locale(identifier: "en_US_POSIX")
        formatter.timeZone = TimeZone(identifier: "GMT")
        for format in ["EEE, dd MMM yyyy HH:mm:ss zzz", "EEEE, dd-MMM-yy HH:mm:ss zzz", "EEE MMM d HH:mm:ss yyyy"] {
            formatter.dateFormat = format
            if let date = formatter.date(from: text) { return date }
        }
        return nil
    }
}
