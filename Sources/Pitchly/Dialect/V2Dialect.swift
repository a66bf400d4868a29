import LeaseholdCore

/// The older API: the token is a variable, an organisation has databases, a database has fields and
/// rows, and rows are read by `skip` and `limit`.
///
/// Arguments that Pitchly's pages do not show are assumed; they stand in the documents and the layout
/// beside them, and only there. A workspace is an organisation here, a table is a database.
package struct V2Dialect: PitchlyDialect {
    let documents: DialectDocuments
    private let decoder: PageDecoder

    private static let databases = DialectDocument(
        "v2_databases.graphql",
        needed: ["accessToken", "organizationId"]
    )
    private static let database = DialectDocument("v2_database.graphql", needed: ["accessToken", "id"])
    private static let rows = DialectDocument(
        "v2_rows.graphql",
        needed: ["accessToken", "databaseId", "skip"],
        optional: ["limit"]
    )

    static let update = DialectDocument(
        "v2_update.graphql",
        kind: "mutation",
        needed: ["accessToken", "databaseId", "rowId", "row"]
    )
    static let upsert = DialectDocument(
        "v2_upsert.graphql",
        kind: "mutation",
        needed: ["accessToken", "databaseId", "matchFields", "row"]
    )

    /// - Throws: ``PitchlySettingError`` for a replaced document or layout that cannot work.
    package init(documents: DialectDocuments = .embedded) throws(PitchlySettingError) {
        for document in Self.catalog { try document.check(documents.text(document.file)) }
        let layout = try documents.layout("v2_rows.layout.json")
        guard layout.hasNextPage == nil, layout.endCursor == nil else {
            throw PitchlySettingError(
                setting: "v2_rows.layout.json",
                expected: "without hasNextPage and endCursor, because rows are read by $skip",
                got: "a layout with a cursor"
            )
        }
        self.documents = documents
        decoder = PageDecoder(layout)
    }

    package static var catalog: [DialectDocument] { [databases, database, rows, update, upsert] }

    package var name: DialectName { .v2 }
    package var tokenVariable: String? { "accessToken" }
    package var filtersByUpdate: Bool { false }
    /// An expired token and a missing permission have the same documented error, `not-authorized`.
    package var hidesExpiry: Bool { true }

    /// Which organisation a grant belongs to cannot be asked.
    package func workspaces() -> GraphQLOperation<[PitchlyWorkspace]>? { nil }

    package func tables(workspace: String) -> GraphQLOperation<PitchlyWorkspace?> {
        GraphQLOperation(
            name: "databases",
            document: documents.text(Self.databases.file),
            variables: JSONObjectText("organizationId", workspace)
        ) { scanner throws(JSONScanner.Failure) in
            guard let databases = try scanner.decode(DatabasesAnswer.self)?.databases else { return nil }
            return PitchlyWorkspace(id: workspace, name: workspace, tables: databases.map(\.value))
        }
    }

    package func table(id: String) -> GraphQLOperation<PitchlyTable?> {
        GraphQLOperation(
            name: "database",
            document: documents.text(Self.database.file),
            variables: JSONObjectText("id", id)
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(DatabaseAnswer.self)?.database?.value
        }
    }

    package func page(_ request: PageRequest) -> GraphQLOperation<RecordPage> {
        let place = request.cursor.map(RowPlace.init(cursor:)) ?? RowPlace()
        // One row of each page is the last of the page before.
        let limit = max(2, request.size)
        var variables = JSONObjectText("databaseId", request.table)
        variables.set("skip", place.skip)
        variables.set("limit", limit)
        return GraphQLOperation(
            name: "rows",
            document: documents.text(Self.rows.file),
            variables: variables
        ) { [decoder] scanner throws(JSONScanner.Failure) in
            place.page(try decoder.page(&scanner), limit: limit)
        }
    }
}

private struct DatabasesAnswer: Decodable { let databases: [DatabaseShape]? }
private struct DatabaseAnswer: Decodable { let database: DatabaseShape? }

private struct DatabaseShape: Decodable {
    let _id: String
    let name: String?
    let fields: [FieldShape]?

    var value: PitchlyTable { PitchlyTable(id: _id, name: name ?? _id, fields: fields?.map(\.value) ?? []) }
}

private struct FieldShape: Decodable {
    let _id: String
    let name: String?
    let type: String

    var value: PitchlyField { PitchlyField(id: _id, name: name ?? _id, type: type) }
}
