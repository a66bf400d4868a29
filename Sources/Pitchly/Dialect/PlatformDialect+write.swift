import LeaseholdCore

extension PlatformDialect {
    /// The API's own limit is not published.
    package var writeLimit: Int { 100 }

    package func update(_ writes: [RecordWrite], table: String) -> GraphQLOperation<[String]> {
        var variables = JSONObjectText("tableId", table)
        let records = writes.compactMap { write -> String? in
            guard case .record(let id) = write.target else { return nil }
            return "{\"id\":\(jsonString(id)),\"fields\":\(write.cells)}"
        }
        variables.set("records", json: "[\(records.joined(separator: ","))]")
        return GraphQLOperation(
            name: "updateRecords",
            document: documents.text(Self.update.file),
            variables: variables
        ) { scanner throws(JSONScanner.Failure) in
            try scanner.decode(UpdateAnswer.self)?.updateRecords.ids ?? []
        }
    }

    /// No mutation of this generation is known that would.
    package func upsert(_ write: RecordWrite, table: String) -> GraphQLOperation<[String]>? { nil }
}

private struct UpdateAnswer: Decodable {
    let updateRecords: Records

    /// A list, most probably: the published client selects `{ id }`, which fits one record too.
    struct Records: Decodable {
        let ids: [String]

        init(from decoder: any Decoder) throws {
            let value = try decoder.singleValueContainer()
            if let list = try? value.decode([Record].self) {
                ids = list.map(\.id)
            } else {
                ids = [try value.decode(Record.self).id]
            }
        }
    }

    struct Record: Decodable { let id: String }
}
