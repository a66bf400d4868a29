import CLibPQ
package import SQLFiles

/// A statement of ``SQLFiles`` with its parameters.
package struct PostgresCall: Sendable {
    package let file: SQLFile
    package let parameters: [(any PostgresEncodable)?]

    package init(_ file: SQLFile, _ parameters: (any PostgresEncodable)?...) {
        self.init(file, parameters: parameters)
    }

    package init(_ file: SQLFile, parameters: [(any PostgresEncodable)?]) {
        self.file = file
        self.parameters = parameters
    }

    func encoded() throws(PostgresError) -> Statement {
        let declared = StatementParameters.of(file).declared
        return Statement(
            name: file.name,
            text: file.text,
            // Without a header the types come from the values and may differ from call to call.
            isPrepared: declared != nil,
            parameters: try EncodedParameters(parameters, declared: declared, statement: file.name)
        )
    }
}

/// A statement ready to be sent.
struct Statement: Sendable {
    let name: String
    let text: String
    let isPrepared: Bool
    let parameters: EncodedParameters

    /// The first word of the text: an ad-hoc statement has no other name that is safe to show.
    static func adHocName(of sql: String) -> String {
        let word = sql.drop { !$0.isLetter }.prefix { $0.isLetter }.prefix(20).lowercased()
        return word.isEmpty ? "statement" : "\(word) statement"
    }

    /// Hands the statement to libpq; false if the connection is in no state for it.
    func send(on connection: OpaquePointer?, prepared: Bool) -> Bool {
        let count = Int32(parameters.count)
        return parameters.withCArrays { values, lengths, formats in
            if prepared {
                PQsendQueryPrepared(connection, name, count, values, lengths, formats, 1)
            } else {
                PQsendQueryParams(connection, text, count, parameters.types, values, lengths, formats, 1)
            }
        } == 1
    }

    func sendPrepare(on connection: OpaquePointer?) -> Bool {
        PQsendPrepare(connection, name, text, Int32(parameters.count), parameters.types) == 1
    }
}
