/// A parsed request document. Offsets are bytes, for the `locations` of errors.
struct GraphQLDocument: Sendable {
    var operations: [Operation] = []
    var fragments: [Fragment] = []

    struct Operation: Sendable {
        enum Kind: String, Sendable {
            case query
            case mutation
            case subscription
        }

        let kind: Kind
        let name: String?
        let variables: [VariableDefinition]
        let directives: [Directive]
        let selections: [Selection]
        let offset: Int
    }

    struct VariableDefinition: Sendable {
        let name: String
        let type: GraphQLType
        let defaultValue: GraphQLLiteral?
        let offset: Int
    }

    struct Fragment: Sendable {
        let name: String
        let condition: String
        let directives: [Directive]
        let selections: [Selection]
        let offset: Int
    }

    struct Directive: Sendable {
        let name: String
        let arguments: [Argument]
        let offset: Int
    }

    struct Argument: Sendable {
        let name: String
        let value: GraphQLLiteral
        let offset: Int
    }

    struct Field: Sendable {
        let alias: String?
        let name: String
        let arguments: [Argument]
        let directives: [Directive]
        let selections: [Selection]
        let offset: Int

        var responseKey: String { alias ?? name }
    }

    enum Selection: Sendable {
        case field(Field)
        case spread(name: String, directives: [Directive], offset: Int)
        case inline(condition: String?, directives: [Directive], selections: [Selection], offset: Int)
    }
}

/// A value written in a document.
indirect enum GraphQLLiteral: Sendable, Equatable {
    case variable(String, offset: Int)
    case int(String)
    case float(String)
    case string(String)
    case boolean(Bool)
    case null
    case enumeration(String)
    case list([GraphQLLiteral])
    case object([ObjectField])

    struct ObjectField: Sendable, Equatable {
        let name: String
        let value: GraphQLLiteral
    }
}

/// A type as it is written: `[UpdateRecordInput!]!`.
indirect enum GraphQLType: Sendable, Equatable, CustomStringConvertible {
    case named(String)
    case list(GraphQLType)
    case nonNull(GraphQLType)

    var description: String {
        switch self {
        case .named(let name): name
        case .list(let element): "[\(element)]"
        case .nonNull(let type): "\(type)!"
        }
    }

    var name: String {
        switch self {
        case .named(let name): name
        case .list(let type), .nonNull(let type): type.name
        }
    }

    var isNonNull: Bool {
        if case .nonNull = self { true } else { false }
    }

    var nullable: GraphQLType {
        if case .nonNull(let type) = self { type } else { self }
    }
}

extension GraphQLLiteral {
    /// As GraphQL writes it.
    var shown: String {
        switch self {
        case .variable(let name, _): "$\(name)"
        case .int(let text), .float(let text), .enumeration(let text): text
        case .string(let text): JSONValue.string(text).text
        case .boolean(let flag): String(flag)
        case .null: "null"
        case .list(let elements): "[\(elements.map(\.shown).joined(separator: ", "))]"
        case .object(let fields): "{\(fields.map { "\($0.name): \($0.value.shown)" }.joined(separator: ", "))}"
        }
    }
}
