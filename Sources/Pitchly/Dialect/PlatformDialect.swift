import LeaseholdCore

/// Today's API: Bearer token, workspaces, tables, `recordsConnection`.
///
/// Names and shapes that Pitchly does not publish are assumed; they stand in the documents and the
/// layout beside them, and only there.
package struct PlatformDialect: PitchlyDialect {
    let documents: DialectDocuments
    private let decoder: PageDecoder

    private static let workspaces = DialectDocument("platform_workspaces.graphql", needed: [])
    private static let workspace = DialectDocument("platform_workspace.graphql", needed: ["id"])
    private static let table = DialectDocument("platform_table.graphql", needed: ["id"])
    private static let records = DialectDocument(
        "platform_records.graphql",
        needed: ["tableId", "after"],
        optional: ["first", "filter"]
    )

    static let update = DialectDocument("platform_update.graphql", kind: "mutation", needed: ["tableId", "records"])

    /// - Throws: ``PitchlySettingError`` for a replaced document or layout that cannot work.
    package init(documents: DialectDocuments = .embedded) throws(PitchlySettingError) {
        for document in Self.catalog { try document.check(documents.text(document.file)) }
        let layout = try documents.layout("platform_records.layout.json")
        guard layout.hasNextPage != nil, layout.endCursor != nil else {
            throw PitchlySettingError(
                setting: "platform_records.layout.json",
                expected: "with hasNextPage and endCursor, because pages follow a cursor",
                got: "a layout without them"
            )
        }
        self.documents = documents
        decoder = PageDecoder(layout)
        filtersByUpdate = try Self.records.check(documents.text(Self.records.file)).contains("filter")
    }

    package static var catalog: [DialectDocument] { [workspaces, workspace, table, records, update] }

    package var name: DialectName { .platform }
    package var tokenVariable: String? { nil }
    /// Whether the document of a page has the variable `$filter`.
    package let filtersByUpdate: Bool
    package var hidesExpiry: Bool { false }

    package func workspaces() -> GraphQLOperation<[PitchlyWorkspace]>? {
        GraphQLOperation(
            name: "workspaces",
            document: documents.text(Self.workspaces.file),
            variables: JSONObjectText()
        ) { scanner throws(JSONScanner.Failure) in
            let data = try scanner.decode(WorkspacesAnswer.self)
            return data?.workspaces.map(\.value) ?? []
        }
    }

    package func tables(workspace: String) -> GraphQLOperation<PitchlyWorkspace?> {
        GraphQLOperation(
            name: "workspace",
            document: documents.text(Self.workspace.file),
            variables: JSONObjectText("id", workspace)
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(WorkspaceAnswer.self)?.workspace?.value
        }
    }

    package func table(id: String) -> GraphQLOperation<PitchlyTable?> {
        GraphQLOperation(
            name: "table",
            document: documents.text(Self.table.file),
            variables: JSONObjectText("id", id)
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(TableAnswer.self)?.table?.value
        }
    }

    package func page(_ request: PageRequest) -> GraphQLOperation<RecordPage> {
        var variables = JSONObjectText("tableId", request.table)
        variables.set("first", request.size)
        if let cursor = request.cursor { variables.set("after", cursor) }
        if let updatedAfter = request.updatedAfter {
            variables.set("filter", json: "{\"updatedAfter\":\(jsonString(updatedAfter))}")
        }
        return GraphQLOperation(
            name: "records",
            document: documents.text(Self.records.file),
            variables: variables
        ) { [decoder] scanner throws(JSONScanner.Failure) in
            try decoder.page(&scanner)
        }
    }
}

private struct WorkspacesAnswer: Decodable { let workspaces: [WorkspaceShape] }
private struct WorkspaceAnswer: Decodable { let workspace: WorkspaceShape? }
private struct TableAnswer: Decodable { let table: TableShape? }

private struct WorkspaceShape: Decodable {
    let id: String
    let name: String?
    let tables: [TableShape]?

    var value: PitchlyWorkspace {
        PitchlyWorkspace(id: id, name: name ?? id, tables: tables?.map(\.value) ?? [])
    }
}

private struct TableShape: Decodable {
    let id: String
    let name: String?
    let fields: [FieldShape]?

    var value: PitchlyTable { PitchlyTable(id: id, name: name ?? id, fields: fields?.map(\.value) ?? []) }
}

private struct FieldShape: Decodable {
    let id: String
    let name: String?
    let type: String

    var value: PitchlyField { PitchlyField(id: id, name: name ?? id, type: type) }
}
