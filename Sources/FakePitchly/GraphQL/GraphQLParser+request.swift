/// Requests: operations, fragments, selections (GraphQL specification, sections 2.2 to 2.8).
extension GraphQLParser {
    static func parseRequest(_ text: String) throws(GraphQLError) -> GraphQLDocument {
        var parser = try GraphQLParser(text)
        var document = GraphQLDocument()
        repeat {
            if parser.token == .name("fragment") {
                document.fragments.append(try parser.fragment())
            } else {
                document.operations.append(try parser.operation())
            }
        } while parser.token != .end
        return document
    }

    private mutating func operation() throws(GraphQLError) -> GraphQLDocument.Operation {
        let start = offset
        if token == .punctuator("{") {
            return .init(
                kind: .query,
                name: nil,
                variables: [],
                directives: [],
                selections: try selections(),
                offset: start
            )
        }
        guard case .name(let word) = token, let kind = GraphQLDocument.Operation.Kind(rawValue: word) else {
            throw unexpected()
        }
        try advance()
        var operationName: String?
        if case .name = token { operationName = try name() }
        return .init(
            kind: kind,
            name: operationName,
            variables: try variableDefinitions(),
            directives: try directives(),
            selections: try selections(),
            offset: start
        )
    }

    private mutating func variableDefinitions() throws(GraphQLError) -> [GraphQLDocument.VariableDefinition] {
        guard try take("(") else { return [] }
        var definitions: [GraphQLDocument.VariableDefinition] = []
        repeat {
            let start = offset
            try expect("$")
            let variableName = try name()
            try expect(":")
            let variableType = try type()
            let defaultValue = try take("=") ? try value() : nil
            _ = try directives()
            definitions.append(
                .init(name: variableName, type: variableType, defaultValue: defaultValue, offset: start)
            )
        } while try !take(")")
        return definitions
    }

    private mutating func fragment() throws(GraphQLError) -> GraphQLDocument.Fragment {
        let start = offset
        try advance()
        guard token != .name("on") else { throw unexpected() }
        let fragmentName = try name()
        guard try takeKeyword("on") else { throw .syntax("Expected \"on\", found \(token.shown).", at: offset) }
        return .init(
            name: fragmentName,
            condition: try name(),
            directives: try directives(),
            selections: try selections(),
            offset: start
        )
    }

    private mutating func selections() throws(GraphQLError) -> [GraphQLDocument.Selection] {
        try nested { parser throws(GraphQLError) in
            try parser.expect("{")
            var selections: [GraphQLDocument.Selection] = []
            repeat { selections.append(try parser.selection()) } while try !parser.take("}")
            return selections
        }
    }

    private mutating func selection() throws(GraphQLError) -> GraphQLDocument.Selection {
        token == .spread ? try spread() : .field(try field())
    }

    private mutating func spread() throws(GraphQLError) -> GraphQLDocument.Selection {
        let start = offset
        try advance()
        if case .name(let fragmentName) = token, fragmentName != "on" {
            try advance()
            return .spread(name: fragmentName, directives: try directives(), offset: start)
        }
        let condition = try takeKeyword("on") ? try name() : nil
        return .inline(
            condition: condition,
            directives: try directives(),
            selections: try selections(),
            offset: start
        )
    }

    private mutating func field() throws(GraphQLError) -> GraphQLDocument.Field {
        let start = offset
        let first = try name()
        let second = try take(":") ? try name() : nil
        return .init(
            alias: second == nil ? nil : first,
            name: second ?? first,
            arguments: try arguments(),
            directives: try directives(),
            selections: token == .punctuator("{") ? try selections() : [],
            offset: start
        )
    }
}
