/// A schema read from SDL. Interfaces and unions are not supported: neither dialect has any.
struct GraphQLSchema: Sendable {
    /// In the order of the SDL, then the built-in scalars, then the introspection types.
    private(set) var typeNames: [String] = []
    private var types: [String: TypeDefinition] = [:]

    struct TypeDefinition: Sendable {
        let name: String
        let description: String?
        let kind: Kind
    }

    enum Kind: Sendable {
        case scalar
        case object([FieldDefinition])
        case inputObject([InputDefinition])
        case enumeration([String])
    }

    struct FieldDefinition: Sendable {
        let name: String
        let description: String?
        let arguments: [InputDefinition]
        let type: GraphQLType
    }

    struct InputDefinition: Sendable {
        let name: String
        let description: String?
        let type: GraphQLType
        let defaultValue: GraphQLLiteral?

        var isRequired: Bool { type.isNonNull && defaultValue == nil }
    }

    struct DirectiveDefinition: Sendable {
        let name: String
        let description: String
        let locations: [String]
        let arguments: [InputDefinition]
    }

    /// `@skip` and `@include`, which every server has (GraphQL specification, section 3.13).
    static let directives: [DirectiveDefinition] = ["include", "skip"].map { name in
        DirectiveDefinition(
            name: name,
            description: "Directs the executor to \(name) this field or fragment when the `if` argument is true.",
            locations: ["FIELD", "FRAGMENT_SPREAD", "INLINE_FRAGMENT"],
            arguments: [
                InputDefinition(name: "if", description: nil, type: .nonNull(.named("Boolean")), defaultValue: nil)
            ]
        )
    }

    mutating func add(_ type: TypeDefinition) {
        if types.updateValue(type, forKey: type.name) == nil { typeNames.append(type.name) }
    }

    subscript(name: String) -> TypeDefinition? { types[name] }

    /// The root type of a kind of operation, nil where the schema has none.
    func root(of kind: GraphQLDocument.Operation.Kind) -> TypeDefinition? {
        switch kind {
        case .query: types["Query"]
        case .mutation: types["Mutation"]
        case .subscription: types["Subscription"]
        }
    }

    /// Includes `__typename` everywhere and `__schema`, `__type` on the query root.
    func field(_ name: String, of type: TypeDefinition) -> FieldDefinition? {
        if name == "__typename" { return Self.typename }
        if type.name == "Query", let meta = Self.introspectionRoots.first(where: { $0.name == name }) { return meta }
        guard case .object(let fields) = type.kind else { return nil }
        return fields.first { $0.name == name }
    }

    private static let typename = FieldDefinition(
        name: "__typename",
        description: nil,
        arguments: [],
        type: .nonNull(.named("String"))
    )

    private static let introspectionRoots = [
        FieldDefinition(name: "__schema", description: nil, arguments: [], type: .nonNull(.named("__Schema"))),
        FieldDefinition(
            name: "__type",
            description: nil,
            arguments: [
                InputDefinition(name: "name", description: nil, type: .nonNull(.named("String")), defaultValue: nil)
            ],
            type: .named("__Type")
        ),
    ]
}

extension GraphQLSchema.TypeDefinition {
    var isComposite: Bool {
        if case .object = kind { true } else { false }
    }

    var isInput: Bool {
        if case .object = kind { false } else { true }
    }
}
