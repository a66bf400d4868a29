import LeaseholdCore

/// What a reply brought. At least one of the two tokens is there.
struct TokenSet: Sendable {
    var accessToken: Secret?
    /// Nil: the presented one stays valid (RFC 6749 section 6).
    var refreshToken: Secret?
    /// Of the access token, from the time the request was sent.
    var lifetime: Duration
    var scope: String?

    /// Lenient: a missing or odd `expires_in` becomes the profile's default, unknown members are ignored.
    init?(_ members: ReplyMembers, profile: ProviderProfile) {
        accessToken = members.text("access_token").map { Secret($0) }
        refreshToken = members.text("refresh_token").map { Secret($0) }
        guard accessToken != nil || refreshToken != nil else { return nil }
        lifetime = Self.lifetime(members.number("expires_in"), profile: profile)
        if case .text(let text)? = members.members["scope"] { scope = text }
    }

    private static func lifetime(_ seconds: Double?, profile: ProviderProfile) -> Duration {
        guard let seconds, seconds.isFinite, seconds >= 1 else { return profile.defaultAccessLifetime }
        return min(.seconds(min(seconds, 1e9)), profile.longestAccessLifetime)
    }
}
