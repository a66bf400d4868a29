import Foundation
import HTTPTypes
import Hummingbird
import LeaseholdCore
import Logging
import NIOCore
import TokenVault

/// A tenant is connected by a person in a browser: authorization code with PKCE (RFC 6749 section 4.1,
/// RFC 7636), state single-use and bound to tenant and browser.
///
/// 1. `POST .../connect` with a key makes a link for a person, good once.
/// 2. The link, or `GET .../connect` by somebody who may connect, sends the browser to the provider.
/// 3. The provider sends it to `/oauth/callback`, which exchanges the code and stores the tokens.
struct ConnectRoutes: Sendable {
    let vault: TokenVault?
    let store: ConnectStore
    let cookies: CookieNames
    private let authorizationURL: ControlParts.AuthorizationURL?
    private let settings: ControlSettings

    init(parts: ControlParts, settings: ControlSettings) {
        vault = parts.vault
        store = ConnectStore(pool: parts.pool, lifetime: settings.connectTime)
        cookies = CookieNames(settings)
        authorizationURL = parts.authorizationURL
        self.settings = settings
    }

    var routes: [Route] {
        [
            Route(.post, "/v1/tenants/{tenant}/connect", .key(.tokensWrite), makeLink),
            Route(.get, "/v1/tenants/{tenant}/connect", .key(.tokensWrite)) { request in
                try await begin(try request.tenant())
            },
            Route(.get, "/connect/{ticket}", .open, openLink),
            Route(.get, "/oauth/callback", .open, finish),
        ]
    }

    private var redirectURI: String { settings.baseURL + "/oauth/callback" }

    @Sendable private func makeLink(_ request: ControlRequest) async throws -> Response {
        let tenant = try request.tenant()
        guard vault != nil else { throw Problem.noVault() }
        let link = try await ConnectLink.make(for: tenant, pool: store.pool, settings: settings)
        var object = JSONObjectText()
        object.set("url", link.url)
        object.set("expires_at", link.expiresAt)
        return .json(object.text, status: .created)
    }

    @Sendable private func openLink(_ request: ControlRequest) async throws -> Response {
        guard vault != nil else { throw Problem.noVault() }
        guard let tenant = try await store.useTicket(request.parameter("ticket")) else {
            throw Problem(
                .notFound,
                "link_not_good",
                "expected a link that is new, got one that is unknown, was used, or has expired",
                hint: "ask whoever sent it for another"
            )
        }
        return try await begin(tenant)
    }

    /// Sends the browser to the provider, and keeps one half of the secret in its cookie.
    private func begin(_ tenant: TenantID) async throws -> Response {
        guard vault != nil, let authorizationURL else { throw Problem.noVault() }
        guard let attempt = try await store.begin(tenant) else { throw Self.unknown(tenant) }
        // Lax: the cookie has to come along when the provider sends the browser back.
        let cookie = cookies.header(
            cookies.connect,
            attempt.browser,
            maxAge: Int(settings.connectTime.seconds),
            sameSite: "Lax"
        )
        return Response(
            status: .found,
            headers: [
                .location: authorizationURL(redirectURI, attempt.state, attempt.verifier),
                .setCookie: cookie, .cacheControl: "no-store",
            ]
        )
    }

    @Sendable private func finish(_ request: ControlRequest) async throws -> Response {
        guard let vault else { throw Problem.noVault() }
        guard let state = request.query("state"), let browser = request.cookie(cookies.connect),
            let tenant = try await store.finish(ConnectStore.Attempt(state: state, browser: browser))
        else {
            throw Problem(
                .badRequest,
                "login_not_known",
                "expected a login that this browser began and that is neither finished nor expired, got another",
                hint: "begin again with a new link"
            )
        }
        if let refusal = request.query("error") {
            // The provider's own word (RFC 6749 section 4.1.2.1), of which only known ones are shown.
            let known = ["access_denied", "invalid_scope", "server_error", "temporarily_unavailable"]
            throw Problem(
                .unprocessableContent,
                "login_refused",
                "expected the provider to allow the access, got \(known.contains(refusal) ? refusal : "another answer")",
                hint: "begin again with a new link"
            )
        }
        guard let code = request.query("code") else {
            throw Problem(.badRequest, "code_missing", "expected the provider to send a code, got none")
        }
        let verifier = ConnectStore.Attempt(state: state, browser: browser).verifier
        let token = try await vault.connect(
            tenant,
            with: .authorizationCode(code: Secret(code), codeVerifier: verifier, redirectURI: redirectURI)
        )
        request.logger.notice(
            "connected",
            metadata: ["event": "tenant_connected", "tenant": "\(tenant)", "generation": "\(token.generation)"]
        )
        var response = PageMessage.response(
            title: "Connected",
            text: "\(tenant) is connected. You may close this window."
        )
        response.headers[.setCookie] = cookies.header(cookies.connect, "", maxAge: 0, sameSite: "Lax")
        return response
    }

    private static func unknown(_ tenant: TenantID) -> Problem {
        Problem(
            .notFound,
            "unknown_tenant",
            "expected a tenant that was added, got \"\(tenant)\"",
            hint: "leasehold tenants add \(tenant)"
        )
    }
}
