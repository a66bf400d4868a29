/// Turns what a request sends into input values of the schema's types (GraphQL specification,
/// section 6.4.1 and the coercion rules of section 3). The validator uses it with unknown variables.
struct GraphQLInputs {
    enum Variables {
        /// Validating: any variable may still become anything.
        case unknown
        case known([String: JSONValue])
    }

    let schema: GraphQLSchema
    let variables: Variables

    /// Nil where a variable was given no value, so that the argument counts as absent.
    func value(of literal: GraphQLLiteral, as type: GraphQLType) throws(GraphQLError) -> JSONValue? {
        switch (literal, type) {
        case (.variable(let name, _), _): return try variable(name, as: type)
        case (.null, .nonNull): throw .badInput("Expected value of type \"\(type)\", found null.")
        case (_, .nonNull(let inner)): return try value(of: literal, as: inner)
        case (.null, _): return .null
        case (.list(let elements), .list(let element)):
            var values: [JSONValue] = []
            for literal in elements { values.append(try value(of: literal, as: element) ?? .null) }
            return .array(values)
        case (_, .list(let element)): return try value(of: literal, as: element).map { .array([$0]) }
        case (_, .named(let name)): return try named(literal, name)
        }
    }

    private func variable(_ name: String, as type: GraphQLType) throws(GraphQLError) -> JSONValue? {
        guard case .known(let values) = variables else { return nil }
        let value = values[name]
        if type.isNonNull, value ?? .null == .null {
            throw .badInput("Argument of non-null type \"\(type)\" must not be null: \"$\(name)\".")
        }
        return value
    }

    private func named(_ literal: GraphQLLiteral, _ name: String) throws(GraphQLError) -> JSONValue {
        guard let definition = schema[name] else { throw .badInput("Unknown type \"\(name)\".") }
        switch definition.kind {
        case .enumeration(let values):
            guard case .enumeration(let value) = literal, values.contains(value) else {
                throw .badInput("Value does not exist in \"\(name)\" enum.")
            }
            return .string(value)
        case .inputObject(let inputs):
            guard case .object(let fields) = literal else {
                throw .badInput("Expected value of type \"\(name)\", found \(literal.shown).")
            }
            return try object(fields.map { ($0.name, $0.value) }, inputs, name) {
                literal,
                type throws(GraphQLError) in try value(of: literal, as: type)
            }
        case .scalar:
            if case .enumeration(let word) = literal { throw Self.cannotRepresent(word, name) }
            return try Self.scalar(try untyped(literal), name)
        case .object: throw .badInput("\"\(name)\" is not an input type.")
        }
    }

    /// A literal below a scalar, where nothing but its own shape types it.
    private func untyped(_ literal: GraphQLLiteral) throws(GraphQLError) -> JSONValue {
        switch literal {
        case .variable(let name, _):
            guard case .known(let values) = variables else { return .null }
            return values[name] ?? .null
        case .int(let text), .float(let text): return .number(text)
        case .string(let text): return .string(text)
        case .boolean(let flag): return .bool(flag)
        case .null: return .null
        case .enumeration(let name): throw .badInput("Expected a value, found: \(name).")
        case .list(let elements):
            var values: [JSONValue] = []
            for element in elements { values.append(try untyped(element)) }
            return .array(values)
        case .object(let fields):
            var object = JSONObject()
            for field in fields { object[field.name] = try untyped(field.value) }
            return .object(object)
        }
    }

    /// A value that came as JSON, in `variables`.
    func value(of json: JSONValue, as type: GraphQLType) throws(GraphQLError) -> JSONValue {
        switch (json, type) {
        case (.null, .nonNull): throw .badInput("Expected non-nullable type \"\(type)\" not to be null.")
        case (_, .nonNull(let inner)): return try value(of: json, as: inner)
        case (.null, _): return .null
        case (.array(let elements), .list(let element)):
            var values: [JSONValue] = []
            for json in elements { values.append(try value(of: json, as: element)) }
            return .array(values)
        case (_, .list(let element)): return .array([try value(of: json, as: element)])
        case (_, .named(let name)): return try named(json, name)
        }
    }

    private func named(_ json: JSONValue, _ name: String) throws(GraphQLError) -> JSONValue {
        switch schema[name]?.kind {
        case .enumeration(let values):
            guard let value = json.stringValue, values.contains(value) else {
                throw .badInput("Value does not exist in \"\(name)\" enum.")
            }
            return json
        case .inputObject(let inputs):
            guard let given = json.objectValue else {
                throw .badInput("Expected type \"\(name)\" to be an object.")
            }
            return try object(given.members.map { ($0.name, $0.value) }, inputs, name) {
                json,
                type throws(GraphQLError) in try value(of: json, as: type)
            }
        case .scalar: return try Self.scalar(json, name)
        case .object, nil: throw .badInput("\"\(name)\" is not an input type.")
        }
    }

    private func object<Given>(
        _ given: [(String, Given)],
        _ inputs: [GraphQLSchema.InputDefinition],
        _ typeName: String,
        _ coerce: (Given, GraphQLType) throws(GraphQLError) -> JSONValue?
    ) throws(GraphQLError) -> JSONValue {
        for (name, _) in given where !inputs.contains(where: { $0.name == name }) {
            throw .badInput("Field \"\(name)\" is not defined by type \"\(typeName)\".")
        }
        var object = JSONObject()
        for input in inputs {
            if let (_, value) = given.last(where: { $0.0 == input.name }) {
                object[input.name] = try coerce(value, input.type)
            } else if let literal = input.defaultValue {
                object[input.name] = try value(of: literal, as: input.type)
            } else if input.isRequired {
                throw .badInput(
                    "Field \"\(typeName).\(input.name)\" of required type \"\(input.type)\" was not provided."
                )
            }
        }
        return .object(object)
    }

    private static func scalar(_ json: JSONValue, _ name: String) throws(GraphQLError) -> JSONValue {
        switch (name, json) {
        case ("ID", .string), ("String", .string), ("Boolean", .bool), ("Float", .number): return json
        case ("ID", .number(let text)) where json.intValue != nil: return .string(text)
        case ("Int", .number(let text)) where Int32(text) != nil: return json
        case ("DateTime", .string(let text)) where CivilTime.milliseconds(ofISO: text) != nil: return json
        case ("ID", _), ("String", _), ("Boolean", _), ("Float", _), ("Int", _), ("DateTime", _):
            throw cannotRepresent(json.text, name, isWhole: json.intValue != nil)
        default: return json
        }
    }

    private static func cannotRepresent(_ shown: String, _ name: String, isWhole: Bool = false) -> GraphQLError {
        let kind =
            switch name {
            case "ID": "a non-string and non-integer"
            case "String": "a non string"
            case "Boolean": "a non boolean"
            case "Float": "non numeric"
            case "Int": isWhole ? "non 32-bit signed integer" : "non-integer"
            default: "an invalid"
            }
        return .badInput("\(name) cannot represent \(kind) value: \(shown.prefix(80))")
    }
}

extension GraphQLInputs {
    /// Section 6.1.2: defaults filled in, every value checked; all problems at once.
    static func variables(
        of operation: GraphQLDocument.Operation,
        given: JSONObject,
        schema: GraphQLSchema
    ) throws(GraphQLRefusal) -> [String: JSONValue] {
        let inputs = GraphQLInputs(schema: schema, variables: .known([:]))
        var values: [String: JSONValue] = [:]
        var errors: [GraphQLError] = []
        for definition in operation.variables {
            do {
                values[definition.name] = try inputs.variable(definition, given: given[definition.name])
            } catch {
                errors.append(error)
            }
        }
        guard errors.isEmpty else { throw GraphQLRefusal(errors: errors) }
        return values
    }

    private func variable(
        _ definition: GraphQLDocument.VariableDefinition,
        given: JSONValue?
    ) throws(GraphQLError) -> JSONValue? {
        let (name, type) = (definition.name, definition.type)
        let fail = { (message: String) in
            GraphQLError("Variable \"$\(name)\" \(message)", code: "BAD_USER_INPUT", at: definition.offset)
        }
        guard let given else {
            if let literal = definition.defaultValue { return try value(of: literal, as: type) }
            if type.isNonNull { throw fail("of required type \"\(type)\" was not provided.") }
            return nil
        }
        if given.isNull, type.isNonNull { throw fail("of non-null type \"\(type)\" must not be null.") }
        do {
            return try value(of: given, as: type)
        } catch {
            throw fail("got invalid value \(given.text.prefix(80)); \(error.message)")
        }
    }
}
