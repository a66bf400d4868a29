import LeaseholdCore

extension V2Dialect {
    package var writeLimit: Int { 1 }

    package func update(_ writes: [RecordWrite], table: String) -> GraphQLOperation<[String]> {
        var variables = JSONObjectText("databaseId", table)
        if let write = writes.first, case .record(let id) = write.target {
            variables.set("rowId", id)
            variables.set("row", json: "{\"cols\":\(write.cells)}")
        }
        return GraphQLOperation(
            name: "updateRow",
            document: documents.text(Self.update.file),
            variables: variables
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(UpdateAnswer.self).map { [$0.updateRow._id] } ?? []
        }
    }

    package func upsert(_ write: RecordWrite, table: String) -> GraphQLOperation<[String]>? {
        guard case .match(let fields) = write.target else { return nil }
        var variables = JSONObjectText("databaseId", table)
        variables.set("matchFields", json: jsonStrings(fields))
        variables.set("row", json: "{\"cols\":\(write.cells)}")
        return GraphQLOperation(
            name: "upsertRow",
            document: documents.text(Self.upsert.file),
            variables: variables
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(UpsertAnswer.self).map { [$0.upsertRow._id] } ?? []
        }
    }
}

private struct UpdateAnswer: Decodable { let updateRow: Row }
private struct UpsertAnswer: Decodable { let upsertRow: Row }
private struct Row: Decodable { let _id: String }
