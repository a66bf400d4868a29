package import LeaseholdCore

/// Gives the access token of one tenant. The vault stands behind it.
package protocol AccessTokenProvider: Sendable {
    /// - Parameter failedGeneration: the generation that the API refused. A newer one is returned if
    ///   there is one or can be had; the same again means that nothing newer can be had now.
    func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken
}

/// An access token and how often its credential had rotated when it was given.
package struct PitchlyAccessToken: Sendable {
    package let token: Secret
    package let generation: Int64

    package init(token: Secret, generation: Int64) {
        self.token = token
        self.generation = generation
    }
}
