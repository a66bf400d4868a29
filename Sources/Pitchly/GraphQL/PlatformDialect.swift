/// Today's API: Bearer token, workspaces, tables, `recordsConnection`.
///
/// Names and shapes that Pitchly does not publish are assumed; they stand in the documents and the
/// layout beside them, and only there.
package struct PlatformDialect: PitchlyDialect {
    private let documents: DialectDocuments
    private let decoder: PageDecoder

    /// - Throws: ``PitchlySettingError`` for a replaced layout that is not one.
    package init(documents: DialectDocuments = .embedded) throws(PitchlySettingError) {
        self.documents = documents
        decoder = PageDecoder(try documents.layout("platform_records.layout.json"))
    }

    package var name: String { "platform" }
    package var tokenVariable: String? { nil }

    package func workspaces() -> GraphQLOperation<[PitchlyWorkspace]> {
        GraphQLOperation(
            name: "workspaces",
            document: documents.text("platform_workspaces.graphql"),
            variables: JSONObjectText()
        ) { scanner throws(JSONScanner.Failure) in
            let data = try scanner.decode(WorkspacesAnswer.self)
            return data?.workspaces.map(\.value) ?? []
        }
    }

    package func tables(workspace: String) -> GraphQLOperation<PitchlyWorkspace?> {
        GraphQLOperation(
            name: "workspace",
            document: documents.text("platform_workspace.graphql"),
            variables: variables("id", workspace)
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(WorkspaceAnswer.self)?.workspace?.value
        }
    }

    package func table(id: String) -> GraphQLOperation<PitchlyTable?> {
        GraphQLOperation(
            name: "table",
            document: documents.text("platform_table.graphql"),
            variables: variables("id", id)
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(TableAnswer.self)?.table?.value
        }
    }

    package func page(_ request: PageRequest) -> GraphQLOperation<RecordPage> {
        var variables = variables("tableId", request.table)
        variables.set("first", request.size)
        if let cursor = request.cursor { variables.set("after", cursor) }
        if let updatedAfter = request.updatedAfter {
            variables.set("filter", json: "{\"updatedAfter\":\(jsonString(updatedAfter))}")
        }
        return GraphQLOperation(
            name: "records",
            document: documents.text("platform_records.graphql"),
            variables: variables
        ) { [decoder] scanner throws(JSONScanner.Failure) in
            try decoder.page(&scanner)
        }
    }

    private func variables(_ name: String, _ id: String) -> JSONObjectText {
        var variables = JSONObjectText()
        variables.set(name, id)
        return variables
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
