/// The generations of Pitchly's data API, as the setting names them.
package enum DialectName: String, Sendable, CaseIterable {
    /// Today's: Bearer token, workspaces, tables, `recordsConnection`.
    case platform
    /// The older one: the token is a variable; databases, fields, rows.
    case v2

    /// Where Pitchly serves it.
    package var defaultURL: String {
        switch self {
        case .platform: "https://api.pitchly.com/graphql"
        case .v2: "https://v2.pitchly.net/graphql"
        }
    }

    /// - Throws: ``PitchlySettingError`` for a replaced document or layout that cannot work.
    package func dialect(
        documents: DialectDocuments = .embedded
    ) throws(PitchlySettingError) -> any PitchlyDialect {
        switch self {
        case .platform: try PlatformDialect(documents: documents)
        case .v2: try V2Dialect(documents: documents)
        }
    }
}
