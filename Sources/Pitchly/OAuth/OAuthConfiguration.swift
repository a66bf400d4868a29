package import LeaseholdCore

/// Where and how tokens are exchanged. Checked once, at the start of the program.
package struct OAuthConfiguration: Sendable {
    /// Scheme, host and port, without a path: `https://platform.pitchly.com`.
    package let origin: PitchlyURL
    package let clientID: String
    package let clientSecret: Secret
    /// Default `/api/oauth/token`.
    package var tokenPath = "/api/oauth/token"
    /// Default `/oauth/authorize`.
    package var authorizePath = "/oauth/authorize"
    /// Space-delimited; narrows the access token only, never the refresh token. Nil asks for all
    /// that is granted; an empty text is sent as such and means read-only. Default nil.
    package var scope: String?
    /// How a user session's access token is exchanged.
    package var accessTokenGrant = AccessTokenGrant()
    /// Bytes of a reply that are read; what lies beyond makes the reply incomplete. Default 1 MiB.
    package var replyLimit = 1 << 20

    /// - Throws: ``PitchlySettingError`` for an empty client id or secret.
    package init(
        origin: PitchlyURL,
        clientID: String,
        clientSecret: Secret
    ) throws(PitchlySettingError) {
        guard !clientID.isEmpty else {
            throw PitchlySettingError(setting: "client id", expected: "the App ID of your Pitchly app", got: "nothing")
        }
        guard !clientSecret.isEmpty else {
            throw PitchlySettingError(
                setting: "client secret",
                expected: "the App Secret of your Pitchly app",
                got: "nothing"
            )
        }
        self.origin = origin
        self.clientID = clientID
        self.clientSecret = clientSecret
    }

    /// The names that Pitchly does not publish for its "long-lived tokens": an access token in, an
    /// access and a refresh token out.
    package struct AccessTokenGrant: Sendable {
        /// Nil is the token path. Default nil.
        package var path: String?
        /// Value of `grant_type`. Default `access_token`.
        package var grantType = "access_token"
        /// Name of the parameter that carries the access token. Default `access_token`.
        package var parameter = "access_token"

        package init() {}
    }

    /// The endpoint that takes `grant`.
    func url(for grant: TokenGrant) -> String {
        switch grant {
        case .accessToken: origin.appending(path: accessTokenGrant.path ?? tokenPath)
        case .refreshToken, .authorizationCode, .clientCredentials: origin.appending(path: tokenPath)
        }
    }

    /// The body of the POST (RFC 6749 sections 2.3.1, 4.1.3, 4.4.2 and 6): the client proves itself
    /// in the body, as every client that Pitchly publishes does.
    func form(for grant: TokenGrant) -> FormBody {
        var form = FormBody()
        switch grant {
        case .refreshToken(let token):
            form.add("grant_type", "refresh_token")
            form.add("refresh_token", token.reveal())
        case .authorizationCode(let code, let codeVerifier, let redirectURI):
            form.add("grant_type", "authorization_code")
            form.add("code", code.reveal())
            form.add("code_verifier", codeVerifier.reveal())
            form.add("redirect_uri", redirectURI)
        case .accessToken(let token):
            form.add("grant_type", accessTokenGrant.grantType)
            form.add(accessTokenGrant.parameter, token.reveal())
        case .clientCredentials(let organization):
            form.add("grant_type", "client_credentials")
            form.add("organization_id", organization)
        }
        form.add("client_id", clientID)
        form.add("client_secret", clientSecret.reveal())
        if let scope { form.add("scope", scope) }
        return form
    }
}
