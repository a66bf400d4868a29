/// Compares the documents of a dialect with the schema that an API tells of itself.
///
/// What the API would refuse is found by the rules of GraphQL's own validation; what it would answer in
/// another form, by the schema that was assumed when the decoders were written. That one is carried
/// beside the documents.
package struct SchemaComparison: Sendable {
    let live: SchemaOutline
    let assumed: SchemaOutline

    /// - Throws: ``PitchlySettingError`` never with the schemas carried here.
    package init(live: SchemaOutline, dialect: DialectName) throws(PitchlySettingError) {
        let sdl =
            switch dialect {
            case .platform: PackageResources.platform_schema_graphql
            case .v2: PackageResources.v2_schema_graphql
            }
        do {
            self.init(live: live, assumed: try SchemaOutline(sdl: String(decoding: sdl, as: UTF8.self)))
        } catch {
            throw PitchlySettingError(setting: "\(dialect) schema", expected: error.expected, got: error.got)
        }
    }

    init(live: SchemaOutline, assumed: SchemaOutline) {
        self.live = live
        self.assumed = assumed
    }

    /// Everything about one document, in its order; none where it fits.
    ///
    /// - Throws: ``PitchlySettingError`` for a document that cannot be compared, such as one with fragments.
    package func differences(
        of document: DialectDocument,
        in documents: DialectDocuments
    ) throws(PitchlySettingError) -> [SchemaDifference] {
        let tree: DocumentTree
        do {
            tree = try DocumentTree(documents.text(document.file))
        } catch {
            throw PitchlySettingError(setting: document.file, expected: error.expected, got: error.got)
        }
        var differences = differences(of: tree)
        let layout = document.file.replacing(".graphql", with: ".layout.json")
        if DialectDocuments.names.contains(layout) {
            differences += try documents.layout(layout).paths.filter { !tree.answers($0) }.map { path in
                SchemaDifference(
                    .breaking,
                    layout,
                    "names \(path.joined(separator: ".")), which the document does not select"
                )
            }
        }
        return differences
    }

    func differences(of tree: DocumentTree) -> [SchemaDifference] {
        guard let root = live.roots[tree.kind] else {
            return [SchemaDifference(.breaking, tree.kind, "is not offered by the API")]
        }
        var walk = SchemaWalk(live: live, assumed: assumed, variables: tree.variables)
        walk.checkVariables()
        walk.check(tree.selections, on: root, assumed: assumed.roots[tree.kind])
        return walk.differences
    }
}

extension PageLayout {
    /// Every place in an answer that the decoder looks at.
    fileprivate var paths: [[String]] {
        let inRecord = list + record
        let inCell = inRecord + [cells]
        return [inRecord + [recordID], inCell + [cellField], inCell + [cellValue]]
            + [cellLabel.map { inCell + [$0] }, hasNextPage, endCursor, totalCount].compactMap { $0 }
    }
}
