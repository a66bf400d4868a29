/// What is presented to the token endpoint (RFC 6749 section 4.1.3, 4.4.2 and 6).
package enum TokenGrant: Sendable {
    /// `grant_type=refresh_token`. Single use at Pitchly: the reply carries the only successor.
    case refreshToken(Secret)
    /// `grant_type=authorization_code` with PKCE (RFC 7636).
    case authorizationCode(code: Secret, codeVerifier: Secret, redirectURI: String)
    /// A user session's access token for access and refresh token: Pitchly's "long-lived tokens".
    /// Its endpoint and parameter names are not public, so they are settings of the client.
    case accessToken(Secret)
    /// `grant_type=client_credentials` with `organization_id`; the reply may carry no refresh token.
    case clientCredentials(organization: String)

    /// Without any secret, for logs, metrics and the exchange log.
    package var name: String {
        switch self {
        case .refreshToken: "refresh_token"
        case .authorizationCode: "authorization_code"
        case .accessToken: "access_token"
        case .clientCredentials: "client_credentials"
        }
    }
}

/// What became of one POST to the token endpoint. Nothing is parsed yet: the vault stores the bytes
/// before it looks at them.
package enum TokenEndpointReply: Sendable {
    /// The request certainly never reached the provider (DNS, refused, TLS): nothing was spent.
    case notSent(reason: String)
    /// The request went out, or may have, and no usable answer came: the token may be spent.
    case noReply(reason: String)
    /// An answer. `complete` is false if the connection ended inside the body.
    case answered(status: Int, contentType: String?, retryAfter: String?, body: [UInt8], complete: Bool)
}

/// One POST, no retry, bounded by `deadline`. Never throws: every failure is a reply to classify.
package typealias TokenExchange = @Sendable (_ grant: TokenGrant, _ deadline: Duration) async -> TokenEndpointReply
