import Foundation
import HTTPTypes
import Hummingbird
import LeaseholdCore

/// Lets a request through to its route if its caller may, and not too often.
struct Gate: Sendable {
    let authenticator: Authenticator
    let limiter: RateLimiter
    /// Requests without a good key, by the address they come from: guessing keys is hopeless, but each
    /// guess costs a look into the database.
    let strangers: RateLimiter
    let bodyLimit: Int

    func answer(_ route: Route, _ request: Request, _ context: ControlContext) async throws -> Response {
        let caller: Caller?
        switch route.access {
        case .open, .login: caller = nil
        case .key(let scope): caller = try await callerWithKey(scope, request, context)
        case .session: caller = try await callerWithSession(request, context)
        }
        let request = ControlRequest(raw: request, context: context, caller: caller, bodyLimit: bodyLimit)
        if let caller, route.path.contains("{tenant}") { try caller.mustSee(try request.tenant()) }
        return route.access == .login ? try await tried(route, request) : try await route.answer(request)
    }

    /// A key in a form is a guess like one in a header, and is charged alike.
    private func tried(_ route: Route, _ request: ControlRequest) async throws -> Response {
        let address = Self.limitKey(request.context)
        if let wait = strangers.waitIfEmpty(address) { throw Self.tooMany(wait) }
        let response = try await route.answer(request)
        if response.status == .unauthorized { _ = strangers.admit(address) }
        return response
    }

    private func callerWithKey(_ scope: APIScope, _ request: Request, _ context: ControlContext) async throws -> Caller
    {
        let found: Caller?
        if let key = Self.bearer(request) {
            found = try await known(context) { try await authenticator.caller(key: key) }
        } else if request.method == .get, let cookie = request.cookies[authenticator.cookies.session] {
            // A browser that is logged in may follow a link into the API; only reading, so that no
            // other site can make it do something.
            found = try await known(context) { try await authenticator.caller(session: String(cookie.value)) }
        } else {
            found = nil
        }
        guard let caller = found else { throw Self.unauthorized(hasKey: Self.bearer(request) != nil) }
        try admit(caller)
        guard caller.may(scope) else {
            throw Problem(
                .forbidden,
                "scope_missing",
                "expected a key with the scope \(scope.rawValue), got one with \(caller.scopeText)",
                hint: "leasehold api-keys create NAME --scope \(scope.rawValue)"
            )
        }
        return caller
    }

    private func callerWithSession(_ request: Request, _ context: ControlContext) async throws -> Caller {
        guard let cookie = request.cookies[authenticator.cookies.session],
            let caller = try await known(
                context,
                { try await authenticator.caller(session: String(cookie.value)) }
            )
        else { throw PageLoginNeeded() }
        try admit(caller)
        return caller
    }

    /// Charges a stranger only: a known key has a bucket of its own.
    private func known(_ context: ControlContext, _ find: () async throws -> Caller?) async throws -> Caller? {
        let address = Self.limitKey(context)
        if let wait = strangers.waitIfEmpty(address) { throw Self.tooMany(wait) }
        let caller = try await find()
        if caller == nil { _ = strangers.admit(address) }
        return caller
    }

    private static func limitKey(_ context: ControlContext) -> String {
        NetworkAddress(context.remoteAddress)?.limitKey ?? context.remoteAddress
    }

    private func admit(_ caller: Caller) throws {
        if let wait = limiter.admit(caller.keyID) { throw Self.tooMany(wait) }
    }

    private static func bearer(_ request: Request) -> String? {
        guard let header = request.headers[.authorization] else { return nil }
        let words = header.split(separator: " ", omittingEmptySubsequences: true)
        guard words.count == 2, words[0].lowercased() == "bearer" else { return nil }
        return String(words[1])
    }

    private static func tooMany(_ wait: Duration) -> Problem {
        Problem(.tooManyRequests, "too_many_requests", "expected fewer requests, got more than one caller may send")
            .retry(after: wait)
    }

    private static func unauthorized(hasKey: Bool) -> Problem {
        var problem = Problem(
            .unauthorized,
            hasKey ? "key_unknown" : "key_missing",
            hasKey
                ? "expected a key that is known, not expired and not revoked, got another"
                : "expected the header Authorization: Bearer KEY, got none",
            hint: "leasehold api-keys create NAME --scope jobs:write"
        )
        problem.headers[.wwwAuthenticate] = "Bearer realm=\"leasehold\""
        return problem
    }
}

/// Nobody is logged in: the page shows its login instead.
struct PageLoginNeeded: Error {}
