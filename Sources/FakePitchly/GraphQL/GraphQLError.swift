/// One entry of `errors` in an answer (GraphQL specification, section 7.1.2), worded as graphql-js
/// words it, because that is what the client of a real server would meet.
package struct GraphQLError: Error, Sendable, Equatable, CustomStringConvertible {
    package let message: String
    /// `extensions.code`, for example `GRAPHQL_VALIDATION_FAILED` or `UNAUTHENTICATED`.
    package let code: String
    /// Byte offset in the request's document, nil where the error belongs to no place in it.
    let offset: Int?
    var path: [JSONValue]?

    init(_ message: String, code: String = "GRAPHQL_VALIDATION_FAILED", at offset: Int? = nil, path: [JSONValue]? = nil)
    {
        self.message = message
        self.code = code
        self.offset = offset
        self.path = path
    }

    package var description: String { "\(code): \(message)" }

    static func syntax(_ message: String, at offset: Int) -> GraphQLError {
        GraphQLError("Syntax Error: \(message)", code: "GRAPHQL_PARSE_FAILED", at: offset)
    }

    static func badInput(_ message: String) -> GraphQLError { GraphQLError(message, code: "BAD_USER_INPUT") }

    /// With line and column counted in `document`.
    func json(document: String) -> JSONValue {
        var object = JSONObject([("message", .string(message))])
        if let offset { object["locations"] = [Self.location(of: offset, in: document)] }
        if let path { object["path"] = .array(path) }
        object["extensions"] = ["code": .string(code)]
        return .object(object)
    }

    private static func location(of offset: Int, in document: String) -> JSONValue {
        let before = document.utf8.prefix(offset)
        let line = before.count { $0 == 0x0A } + 1
        let column = before.reversed().prefix { $0 != 0x0A }.count + 1
        return ["line": JSONValue(line), "column": JSONValue(column)]
    }
}

/// All that is wrong with a request before any of it runs.
package struct GraphQLRefusal: Error, Sendable {
    package let errors: [GraphQLError]
}
