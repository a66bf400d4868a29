/// Schemas (GraphQL specification, section 3): scalars, objects, input objects and enumerations.
extension GraphQLParser {
    /// `sdl` with the built-in scalars and the introspection types added.
    static func parseSchema(_ sdl: String) throws(GraphQLError) -> GraphQLSchema {
        var schema = GraphQLSchema()
        for text in [sdl, builtInScalars, GraphQLIntrospection.sdl] {
            var parser = try GraphQLParser(text)
            while parser.token != .end { schema.add(try parser.typeDefinition()) }
        }
        return schema
    }

    private static let builtInScalars = ["Boolean", "Float", "ID", "Int", "String"]
        .map { "\"The `\($0)` scalar of the GraphQL specification.\" scalar \($0)" }
        .joined(separator: "\n")

    private mutating func typeDefinition() throws(GraphQLError) -> GraphQLSchema.TypeDefinition {
        let text = try description()
        let keyword = try name()
        let typeName = try name()
        let kind: GraphQLSchema.Kind
        switch keyword {
        case "scalar": kind = .scalar
        case "type": kind = .object(try members { parser throws(GraphQLError) in try parser.fieldDefinition() })
        case "input":
            kind = .inputObject(try members { parser throws(GraphQLError) in try parser.inputDefinition() })
        case "enum":
            kind = .enumeration(
                try members { parser throws(GraphQLError) in
                    _ = try parser.description()
                    return try parser.name()
                }
            )
        default: throw unexpected()
        }
        return .init(name: typeName, description: text, kind: kind)
    }

    private mutating func description() throws(GraphQLError) -> String? {
        guard case .string(let text) = token else { return nil }
        try advance()
        return text
    }

    private mutating func members<Member>(
        _ member: (inout GraphQLParser) throws(GraphQLError) -> Member
    ) throws(GraphQLError) -> [Member] {
        try expect("{")
        var members: [Member] = []
        repeat { members.append(try member(&self)) } while try !take("}")
        return members
    }

    private mutating func fieldDefinition() throws(GraphQLError) -> GraphQLSchema.FieldDefinition {
        let text = try description()
        let fieldName = try name()
        var arguments: [GraphQLSchema.InputDefinition] = []
        if try take("(") {
            repeat { arguments.append(try inputDefinition()) } while try !take(")")
        }
        try expect(":")
        return .init(name: fieldName, description: text, arguments: arguments, type: try type())
    }

    private mutating func inputDefinition() throws(GraphQLError) -> GraphQLSchema.InputDefinition {
        let text = try description()
        let inputName = try name()
        try expect(":")
        let inputType = try type()
        let defaultValue = try take("=") ? try value() : nil
        return .init(name: inputName, description: text, type: inputType, defaultValue: defaultValue)
    }
}
