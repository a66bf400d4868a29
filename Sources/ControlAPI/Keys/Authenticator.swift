import LeaseholdCore

/// Finds out who sends a request.
struct Authenticator: Sendable {
    let keys: APIKeyStore
    let cookies: CookieNames

    /// Nil for a text that is no key, or not a good one. Costs one probe of an index.
    func caller(key: String) async throws -> Caller? {
        guard key.utf8.count == 47, key.hasPrefix("lsk_") else { return nil }
        return try await keys.caller(key: key)
    }

    func caller(session: String) async throws -> Caller? {
        guard session.utf8.count == 43, var caller = try await keys.caller(session: session) else { return nil }
        caller.formToken = Self.formToken(session)
        return caller
    }

    /// What a form of the page must carry: follows from the cookie, which no other site can read.
    static func formToken(_ session: String) -> String { RandomText.derived(from: session, for: "form") }
}

/// The cookies' names and how they are set. Under `https`, the prefix `__Host-` makes browsers refuse
/// one that another host or an unencrypted page has set.
struct CookieNames: Sendable {
    let session: String
    let connect: String
    let isSecure: Bool

    init(_ settings: ControlSettings) {
        isSecure = settings.publicURL?.hasPrefix("https:") ?? false
        let prefix = isSecure ? "__Host-" : ""
        session = prefix + "leasehold-session"
        connect = prefix + "leasehold-connect"
    }

    /// - Parameter maxAge: seconds; 0 takes the cookie away.
    func header(_ name: String, _ value: String, maxAge: Int, sameSite: String) -> String {
        "\(name)=\(value); Path=/; Max-Age=\(maxAge); HttpOnly; SameSite=\(sameSite)\(isSecure ? "; Secure" : "")"
    }
}
