/// Goes through the tokens of a GraphQL text and says what it expected where something else came.
struct TokenReader {
    private let tokens: [DocumentToken]
    private var index = 0

    init(_ tokens: [DocumentToken]) { self.tokens = tokens }

    var isAtEnd: Bool { index >= tokens.count }
    var next: DocumentToken? { isAtEnd ? nil : tokens[index] }

    mutating func name() throws(DocumentOutline.Problem) -> String {
        guard case .name(let name)? = next else { throw problem("a name") }
        index += 1
        return name
    }

    mutating func take(_ mark: Character) throws(DocumentOutline.Problem) {
        guard next == .mark(mark) else { throw problem("\(mark)") }
        index += 1
    }

    /// Whether the mark came; else nothing is taken.
    mutating func takes(_ mark: Character) -> Bool {
        guard next == .mark(mark) else { return false }
        index += 1
        return true
    }

    /// A description before a definition.
    mutating func skipLiteral() -> Bool {
        guard next == .literal else { return false }
        index += 1
        return true
    }

    mutating func skip(while condition: (DocumentToken) -> Bool) {
        while let token = next, condition(token) { index += 1 }
    }

    mutating func type() throws(DocumentOutline.Problem) -> SchemaType {
        var type: SchemaType
        if takes("[") {
            type = .list(try self.type())
            try take("]")
        } else {
            type = .named(try name())
        }
        if takes("!") { type = .nonNull(type) }
        return type
    }

    /// `= value`.
    ///
    /// - Returns: whether there was one.
    mutating func skipDefault() throws(DocumentOutline.Problem) -> Bool {
        guard takes("=") else { return false }
        try skipValue()
        return true
    }

    mutating func skipDirectives() throws(DocumentOutline.Problem) {
        while takes("@") {
            _ = try name()
            if next == .mark("(") { try skipBlock() }
        }
    }

    mutating func skipValue() throws(DocumentOutline.Problem) {
        switch next {
        case .literal, .name: index += 1
        case .mark("$"):
            index += 1
            _ = try name()
        case .mark("["), .mark("{"): try skipBlock()
        case .mark, nil: throw problem("a value")
        }
    }

    /// From an opening bracket to the one that closes it.
    mutating func skipBlock() throws(DocumentOutline.Problem) {
        var depth = 0
        repeat {
            switch next {
            case .mark("("), .mark("["), .mark("{"): depth += 1
            case .mark(")"), .mark("]"), .mark("}"): depth -= 1
            case nil: throw problem("a closing bracket")
            default: break
            }
            index += 1
        } while depth > 0
    }

    private func problem(_ expected: String) -> DocumentOutline.Problem {
        let got =
            switch next {
            case .name(let name)?: name
            case .mark(let mark)?: String(mark)
            case .literal?: "a literal"
            case nil: "the end"
            }
        return DocumentOutline.Problem(expected: expected, got: got)
    }
}
