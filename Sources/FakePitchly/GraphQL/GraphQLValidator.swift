/// Checks a request document against a schema (GraphQL specification, section 5). What graphql-js
/// refuses is refused here too, with its wording; suggestions ("Did you mean") are left out.
struct GraphQLValidator {
    let schema: GraphQLSchema
    let document: GraphQLDocument
    var errors: [GraphQLError] = []

    /// A variable in a place that expects a type.
    struct VariableUse {
        let name: String
        /// Nil below a custom scalar, where anything may stand.
        let type: GraphQLType?
        let placeHasDefault: Bool
        let offset: Int
    }

    /// What one operation or fragment mentions itself, not through its spreads.
    struct Mentions {
        var variables: [VariableUse] = []
        var spreads: [(name: String, offset: Int)] = []
    }

    /// Of what is being walked now.
    var mentions = Mentions()

    static func validate(_ document: GraphQLDocument, against schema: GraphQLSchema) throws(GraphQLRefusal) {
        var validator = GraphQLValidator(schema: schema, document: document)
        validator.validate()
        guard validator.errors.isEmpty else { throw GraphQLRefusal(errors: validator.errors) }
    }

    private mutating func validate() {
        checkOperationNames()
        let fragments = walkFragments()
        checkCycles(fragments)
        var used: Set<String> = []
        for operation in document.operations {
            mentions = Mentions()
            // Without a root type the operation fails when it is to run, as graphql-js has it.
            guard let root = schema.root(of: operation.kind) else { continue }
            checkDirectives(operation.directives, location: operation.kind.rawValue.uppercased())
            walk(operation.selections, on: root)
            let reached = closure(of: mentions, fragments)
            used.formUnion(reached.fragments)
            checkVariables(of: operation, uses: reached.variables)
        }
        for fragment in document.fragments where !used.contains(fragment.name) {
            errors.append(GraphQLError("Fragment \"\(fragment.name)\" is never used.", at: fragment.offset))
        }
        // Conflicts are searched only in documents that are otherwise right: every field is known.
        if errors.isEmpty { checkConflicts() }
    }

    private mutating func checkOperationNames() {
        var seen: Set<String> = []
        for operation in document.operations {
            if let name = operation.name {
                if !seen.insert(name).inserted {
                    errors.append(
                        GraphQLError("There can be only one operation named \"\(name)\".", at: operation.offset)
                    )
                }
            } else if document.operations.count > 1 {
                errors.append(
                    GraphQLError("This anonymous operation must be the only defined operation.", at: operation.offset)
                )
            }
        }
    }

    private mutating func walkFragments() -> [String: Mentions] {
        var found: [String: Mentions] = [:]
        for fragment in document.fragments {
            mentions = Mentions()
            checkDirectives(fragment.directives, location: "FRAGMENT_DEFINITION")
            if let type = compositeType(fragment.condition, at: fragment.offset, named: fragment.name) {
                walk(fragment.selections, on: type)
            }
            if found.updateValue(mentions, forKey: fragment.name) != nil {
                errors.append(
                    GraphQLError("There can be only one fragment named \"\(fragment.name)\".", at: fragment.offset)
                )
            }
        }
        return found
    }

    func compositeTypeOrNil(_ name: String) -> GraphQLSchema.TypeDefinition? {
        schema[name].flatMap { $0.isComposite ? $0 : nil }
    }

    mutating func compositeType(
        _ name: String,
        at offset: Int,
        named fragment: String? = nil
    ) -> GraphQLSchema.TypeDefinition? {
        guard let type = schema[name] else {
            errors.append(GraphQLError("Unknown type \"\(name)\".", at: offset))
            return nil
        }
        guard type.isComposite else {
            let which = fragment.map { "Fragment \"\($0)\"" } ?? "Fragment"
            errors.append(GraphQLError("\(which) cannot condition on non composite type \"\(name)\".", at: offset))
            return nil
        }
        return type
    }

    /// One error for each cycle, at the spread that closes it.
    private mutating func checkCycles(_ fragments: [String: Mentions]) {
        var done: Set<String> = []
        for fragment in document.fragments { follow([(fragment.name, fragment.offset)], fragments, &done) }
    }

    /// - Parameter path: fragments from the outermost to the one whose spreads are followed now, each
    ///   with the place it was spread.
    private mutating func follow(
        _ path: [(name: String, offset: Int)],
        _ fragments: [String: Mentions],
        _ done: inout Set<String>
    ) {
        guard let last = path.last, done.insert(last.name).inserted else { return }
        for spread in fragments[last.name]?.spreads ?? [] {
            guard let start = path.firstIndex(where: { $0.name == spread.name }) else {
                follow(path + [spread], fragments, &done)
                continue
            }
            let via = path[(start + 1)...].map { "\"\($0.name)\"" }.joined(separator: ", ")
            errors.append(
                GraphQLError(
                    "Cannot spread fragment \"\(spread.name)\" within itself\(via.isEmpty ? "" : " via \(via)").",
                    at: spread.offset
                )
            )
        }
    }

    /// Everything reached from `start`, through spreads of spreads.
    private func closure(
        of start: Mentions,
        _ fragments: [String: Mentions]
    ) -> (variables: [VariableUse], fragments: Set<String>) {
        var variables = start.variables
        var pending = start.spreads.map(\.name)
        var seen: Set<String> = []
        while let name = pending.popLast() {
            guard seen.insert(name).inserted, let mentions = fragments[name] else { continue }
            variables += mentions.variables
            pending += mentions.spreads.map(\.name)
        }
        return (variables, seen)
    }
}
