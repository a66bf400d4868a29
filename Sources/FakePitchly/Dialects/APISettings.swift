/// How the GraphQL endpoints behave where the documents leave it open.
package struct APISettings: Sendable {
    package enum FieldIDs: String, Sendable, CaseIterable {
        /// `Field.id` is `wks…|fld…`, as cells name their field.
        case composite
        /// `Field.id` is `fld…` only; cells still say `wks…|fld…`.
        case plain
    }

    package enum OversizedPages: String, Sendable, CaseIterable {
        case clamped
        case refused
    }

    /// Default 500.
    package var maxPageSize = 500
    /// Where a request has no `first` or `limit`; default 50.
    package var defaultPageSize = 50
    /// What becomes of a larger `first`; default clamped.
    package var oversizedPages = OversizedPages.clamped
    package var fieldIDs = FieldIDs.composite
    /// Default authenticated; v2 answers anybody unless it is disabled.
    package var introspection = IntrospectionAccess.authenticated

    /// SDL in the place of the schemas carried here, to try a client on an API that has changed; nil
    /// keeps them. Only what the fake serves is answered, whatever it says.
    package var platformSchema: String?
    package var v2Schema: String?

    package init() {}

    /// The SDL of today's API as it is carried here.
    package static let carriedPlatformSchema = String(decoding: PackageResources.platform_graphql, as: UTF8.self)
    /// The same of the older one.
    package static let carriedV2Schema = String(decoding: PackageResources.v2_graphql, as: UTF8.self)
}
