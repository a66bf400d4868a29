/// One field of an answer, with its arguments coerced and everything selected below it merged
/// (GraphQL specification, section 6.3.2, CollectFields). Resolvers walk these.
struct PlannedField: Sendable {
    let key: String
    /// `"key":`, ready to be written.
    let keyBytes: [UInt8]
    let name: String
    let arguments: [String: JSONValue]
    let type: GraphQLType
    let selection: [PlannedField]
    let offset: Int

    func argument(_ name: String) -> JSONValue { arguments[name] ?? .null }
}

/// Turns the selections of a validated operation into planned fields.
struct GraphQLPlanner {
    let schema: GraphQLSchema
    let document: GraphQLDocument
    let variables: [String: JSONValue]

    private var inputs: GraphQLInputs { GraphQLInputs(schema: schema, variables: .known(variables)) }

    func plan(
        _ sets: [[GraphQLDocument.Selection]],
        on type: GraphQLSchema.TypeDefinition
    ) throws(GraphQLError) -> [PlannedField] {
        var order: [String] = []
        var byKey: [String: [GraphQLDocument.Field]] = [:]
        for selections in sets {
            for field in try included(selections) {
                if byKey[field.responseKey] == nil { order.append(field.responseKey) }
                byKey[field.responseKey, default: []].append(field)
            }
        }
        var planned: [PlannedField] = []
        for key in order {
            if let field = try plan(byKey[key] ?? [], key: key, on: type) { planned.append(field) }
        }
        return planned
    }

    private func plan(
        _ fields: [GraphQLDocument.Field],
        key: String,
        on type: GraphQLSchema.TypeDefinition
    ) throws(GraphQLError) -> PlannedField? {
        guard let first = fields.first, let definition = schema.field(first.name, of: type) else { return nil }
        var below: [PlannedField] = []
        if let target = schema[definition.type.name], target.isComposite {
            below = try plan(fields.map(\.selections), on: target)
        }
        var keyWriter = JSONWriter()
        keyWriter.string(key)
        keyWriter.byte(0x3A)
        return PlannedField(
            key: key,
            keyBytes: keyWriter.bytes,
            name: first.name,
            arguments: try arguments(first, definition),
            type: definition.type,
            selection: below,
            offset: first.offset
        )
    }

    private func arguments(
        _ field: GraphQLDocument.Field,
        _ definition: GraphQLSchema.FieldDefinition
    ) throws(GraphQLError) -> [String: JSONValue] {
        var values: [String: JSONValue] = [:]
        for argument in definition.arguments {
            if let given = field.arguments.first(where: { $0.name == argument.name }),
                let value = try inputs.value(of: given.value, as: argument.type)
            {
                values[argument.name] = value
            } else if let literal = argument.defaultValue {
                values[argument.name] = try inputs.value(of: literal, as: argument.type)
            }
        }
        return values
    }

    /// Flattens fragments and drops what `@skip` and `@include` switch off.
    private func included(_ selections: [GraphQLDocument.Selection]) throws(GraphQLError) -> [GraphQLDocument.Field] {
        var fields: [GraphQLDocument.Field] = []
        for selection in selections {
            switch selection {
            case .field(let field):
                if try isIncluded(field.directives) { fields.append(field) }
            case .inline(_, let directives, let selections, _):
                if try isIncluded(directives) { fields += try included(selections) }
            case .spread(let name, let directives, _):
                guard try isIncluded(directives), let fragment = document.fragments.first(where: { $0.name == name })
                else { continue }
                fields += try included(fragment.selections)
            }
        }
        return fields
    }

    private func isIncluded(_ directives: [GraphQLDocument.Directive]) throws(GraphQLError) -> Bool {
        for directive in directives {
            guard let literal = directive.arguments.first?.value else { continue }
            let flag = try inputs.value(of: literal, as: .nonNull(.named("Boolean")))
            if flag == .bool(directive.name == "skip") { return false }
        }
        return true
    }
}
