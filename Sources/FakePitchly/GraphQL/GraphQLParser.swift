/// One token of look-ahead over the lexer, and the parts of the grammar that requests and schemas
/// share: values, types, arguments, directives.
struct GraphQLParser {
    private var lexer: GraphQLLexer
    private(set) var token: GraphQLLexer.Token = .end
    private(set) var offset = 0
    private var depth = 0

    init(_ text: String) throws(GraphQLError) {
        lexer = GraphQLLexer(text)
        try advance()
    }

    mutating func advance() throws(GraphQLError) {
        (token, offset) = try lexer.next()
    }

    func unexpected() -> GraphQLError { .syntax("Unexpected \(token.shown).", at: offset) }

    mutating func take(_ character: Character) throws(GraphQLError) -> Bool {
        guard token == .punctuator(character) else { return false }
        try advance()
        return true
    }

    mutating func expect(_ character: Character) throws(GraphQLError) {
        guard try take(character) else {
            throw .syntax("Expected \"\(character)\", found \(token.shown).", at: offset)
        }
    }

    mutating func takeKeyword(_ keyword: String) throws(GraphQLError) -> Bool {
        guard token == .name(keyword) else { return false }
        try advance()
        return true
    }

    mutating func name() throws(GraphQLError) -> String {
        guard case .name(let name) = token else {
            throw .syntax("Expected Name, found \(token.shown).", at: offset)
        }
        try advance()
        return name
    }

    /// Nesting is bounded, so that no request can exhaust the stack.
    mutating func nested<Value>(
        _ read: (inout GraphQLParser) throws(GraphQLError) -> Value
    ) throws(GraphQLError) -> Value {
        guard depth < 64 else { throw .syntax("Document is nested more than 64 levels deep.", at: offset) }
        depth += 1
        defer { depth -= 1 }
        return try read(&self)
    }

    mutating func type() throws(GraphQLError) -> GraphQLType {
        let inner: GraphQLType
        if try take("[") {
            inner = .list(try nested { parser throws(GraphQLError) in try parser.type() })
            try expect("]")
        } else {
            inner = .named(try name())
        }
        return try take("!") ? .nonNull(inner) : inner
    }

    mutating func arguments() throws(GraphQLError) -> [GraphQLDocument.Argument] {
        guard try take("(") else { return [] }
        var arguments: [GraphQLDocument.Argument] = []
        repeat {
            let start = offset
            let argumentName = try name()
            try expect(":")
            arguments.append(.init(name: argumentName, value: try value(), offset: start))
        } while try !take(")")
        return arguments
    }

    mutating func directives() throws(GraphQLError) -> [GraphQLDocument.Directive] {
        var directives: [GraphQLDocument.Directive] = []
        while token == .punctuator("@") {
            let start = offset
            try advance()
            directives.append(.init(name: try name(), arguments: try arguments(), offset: start))
        }
        return directives
    }

    mutating func value() throws(GraphQLError) -> GraphQLLiteral {
        let start = offset
        switch token {
        case .punctuator("$"):
            try advance()
            return .variable(try name(), offset: start)
        case .punctuator("["): return try nested { parser throws(GraphQLError) in try parser.list() }
        case .punctuator("{"): return try nested { parser throws(GraphQLError) in try parser.object() }
        case .int(let text): return try literal(.int(text))
        case .float(let text): return try literal(.float(text))
        case .string(let text): return try literal(.string(text))
        case .name("true"): return try literal(.boolean(true))
        case .name("false"): return try literal(.boolean(false))
        case .name("null"): return try literal(.null)
        case .name(let text): return try literal(.enumeration(text))
        case .punctuator, .spread, .end: throw unexpected()
        }
    }

    private mutating func literal(_ value: GraphQLLiteral) throws(GraphQLError) -> GraphQLLiteral {
        try advance()
        return value
    }

    private mutating func list() throws(GraphQLError) -> GraphQLLiteral {
        try expect("[")
        var elements: [GraphQLLiteral] = []
        while try !take("]") { elements.append(try value()) }
        return .list(elements)
    }

    private mutating func object() throws(GraphQLError) -> GraphQLLiteral {
        try expect("{")
        var fields: [GraphQLLiteral.ObjectField] = []
        while try !take("}") {
            let fieldName = try name()
            try expect(":")
            fields.append(.init(name: fieldName, value: try value()))
        }
        return .object(fields)
    }
}
