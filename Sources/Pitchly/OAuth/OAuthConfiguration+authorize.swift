extension OAuthConfiguration {
    /// The address a person's browser is sent to (RFC 6749 section 4.1.1 with RFC 7636 section 4.3).
    ///
    /// Pitchly takes no `scope` here: the permissions are those that the organisation granted to the
    /// app. Keep `state` and the verifier until the redirect comes back, bound to the tenant.
    package func authorizationURL(redirectURI: String, state: String, proofKey: ProofKey) -> String {
        var query = FormBody()
        query.add("response_type", "code")
        query.add("client_id", clientID)
        query.add("redirect_uri", redirectURI)
        query.add("state", state)
        query.add("code_challenge_method", "S256")
        query.add("code_challenge", proofKey.challenge)
        return "\(origin.appending(path: authorizePath))?\(query.text)"
    }
}
