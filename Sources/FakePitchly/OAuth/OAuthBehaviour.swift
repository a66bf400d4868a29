/// How the token endpoint and the consent page behave. Where Pitchly's documents are silent there is
/// a setting, so that a client can be tried against every likely answer.
package struct OAuthBehaviour: Sendable {
    /// Default `app` and 17 characters.
    package var clientID = "appFakePitchly222222"
    /// Default `plys_` and 43 characters, a fixed one: the fake guards nothing.
    package var clientSecret = "plys_fakefakefakefakefakefakefakefakefakefakefak"
    /// The redirect URIs registered for the app; compared exactly (RFC 9700 section 2.1).
    package var redirectURIs = ["http://127.0.0.1/callback"]
    /// The consent page answers at once, as if the person had pressed "Allow"; default false.
    package var autoApproves = false
    /// Authorization without a `code_challenge` is refused; default true.
    package var requiresPKCE = true
    /// Default ``RotationMode/strict``.
    package var rotation = RotationMode.strict
    /// Default 3600.
    package var accessTokenSeconds = 3600
    /// How long a code can be exchanged; default 60.
    package var codeSeconds = 60
    /// The HTTP status of an OAuth error: 400 as RFC 6749 has it, or 200 with an `error` member;
    /// which one Pitchly uses is not public. Default 400.
    package var errorStatus = 400
    package var expiresIn = ExpiresInSpelling.number
    package var clientAuthentication = ClientAuthentication.body
    /// `token_type` in the reply; default true.
    package var sendsTokenType = true
    /// Refreshing kills the access token of the generation before; default false, as nothing is
    /// published about it.
    package var refreshRevokesAccessToken = false
    /// Default false: a `client_credentials` reply has no refresh token.
    package var clientCredentialsGiveRefreshToken = false
    /// What the app may do, the scope of a token for which none was asked.
    package var scopes = ["records:update", "teams:read", "workspace_members:read"]
    package var accessTokenExchange = AccessTokenExchange()

    package init() {}

    package enum ExpiresInSpelling: String, Sendable, CaseIterable {
        case number
        case numericString
    }

    package enum ClientAuthentication: String, Sendable, CaseIterable {
        /// `client_id` and `client_secret` in the body, as Pitchly's own client sends them.
        case body
        /// HTTP Basic only.
        case basic
        case either
    }

    /// The exchange of a session's access token for an access and a refresh token ("long-lived
    /// tokens"). Pitchly's names for it are not public; these are assumed.
    package struct AccessTokenExchange: Sendable {
        package var path = "/api/oauth/token"
        package var grantType = "access_token"
        package var parameter = "access_token"

        package init() {}
    }
}

/// What becomes of a refresh token that was exchanged.
package enum RotationMode: Sendable, Equatable {
    /// It is dead: `invalid_grant`.
    case strict
    /// It is dead, and presenting it again kills its whole family, as RFC 9700 section 4.14.2 has it:
    /// the valid refresh token and every access token too.
    case revokeFamilyOnReuse
    /// Presented again within so many seconds it gets the same pair once more, unless the new refresh
    /// token was already used.
    case grace(seconds: Int)

    /// `strict`, `revoke` or `grace:30`.
    package init?(_ text: String) {
        switch text {
        case "strict": self = .strict
        case "revoke": self = .revokeFamilyOnReuse
        default:
            guard text.hasPrefix("grace:"), let seconds = Int(text.dropFirst(6)), seconds > 0 else { return nil }
            self = .grace(seconds: seconds)
        }
    }
}

/// What a client presents, by the grant type it names.
package enum GrantKind: String, Sendable, CaseIterable, Codable {
    case refreshToken = "refresh_token"
    case authorizationCode = "authorization_code"
    case clientCredentials = "client_credentials"
    case accessToken = "access_token"
}

/// An error of RFC 6749 section 5.2.
struct OAuthError: Error, Sendable, Equatable {
    let code: String
    let description: String

    static func invalidRequest(_ description: String) -> OAuthError {
        .init(code: "invalid_request", description: description)
    }
    static func invalidGrant(_ description: String) -> OAuthError {
        .init(code: "invalid_grant", description: description)
    }
    static let invalidClient = OAuthError(code: "invalid_client", description: "Client authentication failed.")
}
