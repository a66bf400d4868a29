extension SchemaOutline {
    /// Reads SDL as far as the schemas need it that this program carries (GraphQL specification,
    /// section 3): types, inputs, scalars, enums, unions, interfaces.
    ///
    /// - Throws: ``DocumentOutline/Problem``.
    init(sdl: String) throws(DocumentOutline.Problem) {
        roots = ["query": "Query", "mutation": "Mutation", "subscription": "Subscription"]
        var reader = TokenReader(try DocumentTokens(sdl).all)
        while !reader.isAtEnd {
            if reader.skipLiteral() { continue }
            let keyword = try reader.name()
            let name = try reader.name()
            try reader.skipDirectives()
            switch keyword {
            case "type", "interface": types[name] = .object(try Self.fields(&reader))
            case "input": types[name] = .input(try Self.inputs(&reader, in: ("{", "}")))
            case "scalar": types[name] = .leaf
            case "enum":
                try reader.skipBlock()
                types[name] = .leaf
            default: throw DocumentOutline.Problem(expected: "type, interface, input, scalar or enum", got: keyword)
            }
        }
        roots = roots.filter { types[$0.value] != nil }
    }

    private static func fields(_ reader: inout TokenReader) throws(DocumentOutline.Problem) -> [String: Field] {
        if reader.next == .name("implements") { reader.skip { $0 != .mark("{") } }
        try reader.take("{")
        var fields: [String: Field] = [:]
        while reader.next != .mark("}") {
            if reader.skipLiteral() { continue }
            let name = try reader.name()
            let arguments = reader.next == .mark("(") ? try inputs(&reader, in: ("(", ")")) : [:]
            try reader.take(":")
            fields[name] = Field(type: try reader.type(), arguments: arguments)
            try reader.skipDirectives()
        }
        try reader.take("}")
        return fields
    }

    private static func inputs(
        _ reader: inout TokenReader,
        in brackets: (open: Character, close: Character)
    ) throws(DocumentOutline.Problem) -> [String: Input] {
        try reader.take(brackets.open)
        var inputs: [String: Input] = [:]
        while reader.next != .mark(brackets.close) {
            if reader.skipLiteral() { continue }
            let name = try reader.name()
            try reader.take(":")
            let type = try reader.type()
            inputs[name] = Input(type: type, hasDefault: try reader.skipDefault())
            try reader.skipDirectives()
        }
        try reader.take(brackets.close)
        return inputs
    }
}
