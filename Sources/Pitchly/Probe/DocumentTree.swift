/// The one operation of a document with everything it selects, for the comparison with a schema.
struct DocumentTree: Equatable {
    /// `query` or `mutation`.
    let kind: String
    let variables: [Variable]
    let selections: [Selection]

    struct Variable: Equatable {
        let name: String
        let type: SchemaType
        let hasDefault: Bool
    }

    struct Selection: Equatable {
        /// What the answer calls it.
        let key: String
        let name: String
        let arguments: [Argument]
        let selections: [Selection]
    }

    struct Argument: Equatable {
        let name: String
        /// Nil for a value that is written out in the document.
        let variable: String?
    }

    /// - Throws: ``DocumentOutline/Problem``, also for a document with fragments, which none of ours has.
    init(_ text: String) throws(DocumentOutline.Problem) {
        var reader = TokenReader(try DocumentTokens(text).all)
        var kind = "query"
        var variables: [Variable] = []
        if case .name = reader.next {
            kind = try reader.name()
            if case .name = reader.next { _ = try reader.name() }
            if reader.takes("(") { variables = try Self.readVariables(&reader) }
            try reader.skipDirectives()
        }
        self.kind = kind
        self.variables = variables
        selections = try Self.readSelections(&reader)
        guard reader.isAtEnd else {
            throw DocumentOutline.Problem(expected: "one operation without fragments", got: "more")
        }
    }

    private static func readVariables(_ reader: inout TokenReader) throws(DocumentOutline.Problem) -> [Variable] {
        var variables: [Variable] = []
        while !reader.takes(")") {
            try reader.take("$")
            let name = try reader.name()
            try reader.take(":")
            let type = try reader.type()
            variables.append(Variable(name: name, type: type, hasDefault: try reader.skipDefault()))
            try reader.skipDirectives()
        }
        return variables
    }

    private static func readSelections(_ reader: inout TokenReader) throws(DocumentOutline.Problem) -> [Selection] {
        try reader.take("{")
        var selections: [Selection] = []
        while !reader.takes("}") {
            if reader.next == .mark(".") {
                throw DocumentOutline.Problem(expected: "one operation without fragments", got: "a fragment")
            }
            let key = try reader.name()
            let name = reader.takes(":") ? try reader.name() : key
            let arguments = reader.takes("(") ? try Self.readArguments(&reader) : []
            try reader.skipDirectives()
            let inner = reader.next == .mark("{") ? try Self.readSelections(&reader) : []
            selections.append(Selection(key: key, name: name, arguments: arguments, selections: inner))
        }
        return selections
    }

    private static func readArguments(_ reader: inout TokenReader) throws(DocumentOutline.Problem) -> [Argument] {
        var arguments: [Argument] = []
        while !reader.takes(")") {
            let name = try reader.name()
            try reader.take(":")
            if reader.takes("$") {
                arguments.append(Argument(name: name, variable: try reader.name()))
            } else {
                try reader.skipValue()
                arguments.append(Argument(name: name, variable: nil))
            }
        }
        return arguments
    }

    /// Whether the answer has something at this path.
    func answers(_ path: [String]) -> Bool {
        var level = selections
        for key in path {
            guard let found = level.first(where: { $0.key == key }) else { return false }
            level = found.selections
        }
        return true
    }
}
