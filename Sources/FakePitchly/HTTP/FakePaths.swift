/// Where things are under the fake's origin.
package enum FakePaths {
    package static let authorize = "/oauth/authorize"
    package static let token = "/api/oauth/token"
    package static let graphQL = "/graphql"
    package static let v2GraphQL = "/v2/graphql"
    /// Everything that the real service has not.
    package static let control = "/_fake/"
}
