import Foundation

/// The documents of all dialects: those carried in the binary, each replaceable by a file of the same
/// name in a folder, so that a renamed field at Pitchly needs no build.
package struct DialectDocuments: Sendable {
    /// The setting that names the folder.
    package static let setting = "LEASEHOLD_PITCHLY_DOCUMENTS"

    private let replacements: [String: String]

    /// The documents carried in the binary.
    package static let embedded = DialectDocuments(replacements: [:])

    /// Every `*.graphql` and `*.layout.json` of `folder` replaces the embedded file of its name.
    ///
    /// - Throws: ``PitchlySettingError`` for a folder that cannot be read or holds a file whose name
    ///   no embedded document has. The texts are checked by the dialect that uses them.
    package init(folder: String) throws(PitchlySettingError) {
        var replacements: [String: String] = [:]
        do {
            for name in try FileManager.default.contentsOfDirectory(atPath: folder)
            where name.hasSuffix(".graphql") || name.hasSuffix(".layout.json") {
                replacements[name] = try String(contentsOfFile: "\(folder)/\(name)", encoding: .utf8)
            }
        } catch {
            throw PitchlySettingError(
                setting: Self.setting,
                expected: "a readable folder with UTF-8 files",
                got: folder
            )
        }
        if let unknown = replacements.keys.sorted().first(where: { Self.carried[$0] == nil }) {
            throw PitchlySettingError(
                setting: "every document in \(folder)",
                expected: "named \(Self.names.joined(separator: ", "))",
                got: unknown
            )
        }
        self.init(replacements: replacements)
    }

    private init(replacements: [String: String]) { self.replacements = replacements }

    /// Names of all documents and layouts, sorted.
    package static var names: [String] { carried.keys.sorted() }

    /// Names of the documents and layouts that come from the folder, sorted.
    package var replaced: [String] { replacements.keys.sorted() }

    /// Text of a document. The name is one of ``names``.
    package func text(_ name: String) -> String { replacements[name] ?? Self.carried[name] ?? "" }

    /// - Throws: ``PitchlySettingError`` for a replaced layout that is not one.
    func layout(_ name: String) throws(PitchlySettingError) -> PageLayout {
        do {
            return try JSONDecoder().decode(PageLayout.self, from: Data(text(name).utf8))
        } catch {
            throw PitchlySettingError(
                setting: name,
                expected: "a JSON object with list, record, recordID, cells, cellField and cellValue",
                got: "something else"
            )
        }
    }

    private static let carried: [String: String] = [
        "platform_workspaces.graphql": PackageResources.platform_workspaces_graphql,
        "platform_workspace.graphql": PackageResources.platform_workspace_graphql,
        "platform_table.graphql": PackageResources.platform_table_graphql,
        "platform_records.graphql": PackageResources.platform_records_graphql,
        "platform_records.layout.json": PackageResources.platform_records_layout_json,
        "platform_update.graphql": PackageResources.platform_update_graphql,
        "v2_databases.graphql": PackageResources.v2_databases_graphql,
        "v2_database.graphql": PackageResources.v2_database_graphql,
        "v2_rows.graphql": PackageResources.v2_rows_graphql,
        "v2_rows.layout.json": PackageResources.v2_rows_layout_json,
        "v2_update.graphql": PackageResources.v2_update_graphql,
        "v2_upsert.graphql": PackageResources.v2_upsert_graphql,
    ].mapValues { String(decoding: $0, as: UTF8.self) }
}
