import LeaseholdCore

/// New values for some cells of one record.
package struct RecordWrite: Sendable, Equatable {
    package enum Target: Sendable, Equatable {
        case record(String)
        /// The row whose cells in these fields have the values of the write; a new one if there is none.
        case match(fields: [String])
    }

    package let target: Target
    /// `[{"fieldId": …, "value": …}]`, as both generations of the API take it.
    let cells: String

    /// - Parameter changes: a JSON object from field id to the value, which is sent as it stands.
    /// - Throws: ``BadChanges``.
    package init(_ target: Target, changes: String) throws(BadChanges) {
        self.target = target
        var scanner = JSONScanner(Array(changes.utf8))
        var cells: [String] = []
        do {
            try scanner.object { scanner, name throws(JSONScanner.Failure) in
                // The id is copied with its escapes: it stands in a JSON string again.
                let field = String(decoding: scanner.bytes[name], as: UTF8.self)
                let value = String(decoding: scanner.bytes[try scanner.value()], as: UTF8.self)
                cells.append("{\"fieldId\":\"\(field)\",\"value\":\(value)}")
            }
            try scanner.end()
        } catch {
            throw BadChanges()
        }
        self.cells = "[\(cells.joined(separator: ","))]"
    }

    package struct BadChanges: Error, Equatable {}
}

/// A JSON array of texts.
func jsonStrings(_ texts: [String]) -> String { "[\(texts.map(jsonString).joined(separator: ","))]" }
