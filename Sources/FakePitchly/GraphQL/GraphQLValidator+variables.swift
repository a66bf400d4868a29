/// Variables (section 5.8): declared, used, and allowed where they stand.
extension GraphQLValidator {
    /// Notes every variable in `literal` with the type its place expects.
    mutating func collectVariables(in literal: GraphQLLiteral, type: GraphQLType?, hasDefault: Bool) {
        switch literal {
        case .variable(let name, let offset):
            mentions.variables.append(
                VariableUse(name: name, type: type, placeHasDefault: hasDefault, offset: offset)
            )
        case .list(let elements):
            var element: GraphQLType?
            if case .list(let inner) = type?.nullable { element = inner }
            for literal in elements { collectVariables(in: literal, type: element, hasDefault: false) }
        case .object(let fields):
            var inputs: [GraphQLSchema.InputDefinition] = []
            if case .inputObject(let definitions) = type.flatMap({ schema[$0.name]?.kind }) { inputs = definitions }
            for field in fields {
                let input = inputs.first { $0.name == field.name }
                collectVariables(in: field.value, type: input?.type, hasDefault: input?.defaultValue != nil)
            }
        case .int, .float, .string, .boolean, .null, .enumeration: break
        }
    }

    mutating func checkVariables(of operation: GraphQLDocument.Operation, uses: [VariableUse]) {
        let title = operation.name.map { " by operation \"\($0)\"" } ?? ""
        var declared: [String: GraphQLDocument.VariableDefinition] = [:]
        for definition in operation.variables {
            if declared.updateValue(definition, forKey: definition.name) != nil {
                errors.append(
                    GraphQLError("There can be only one variable named \"$\(definition.name)\".", at: definition.offset)
                )
            }
            checkDeclaration(definition)
        }
        for use in uses {
            guard let definition = declared[use.name] else {
                errors.append(GraphQLError("Variable \"$\(use.name)\" is not defined\(title).", at: use.offset))
                continue
            }
            if let expected = use.type, schema[definition.type.name] != nil,
                !allows(definition, expected, placeHasDefault: use.placeHasDefault)
            {
                errors.append(
                    GraphQLError(
                        "Variable \"$\(use.name)\" of type \"\(definition.type)\" used in position expecting type \"\(expected)\".",
                        at: use.offset
                    )
                )
            }
        }
        let usedNames = Set(uses.map(\.name))
        let place = operation.name.map { " in operation \"\($0)\"" } ?? ""
        for definition in operation.variables where !usedNames.contains(definition.name) {
            errors.append(
                GraphQLError("Variable \"$\(definition.name)\" is never used\(place).", at: definition.offset)
            )
        }
    }

    private mutating func checkDeclaration(_ definition: GraphQLDocument.VariableDefinition) {
        guard let type = schema[definition.type.name] else {
            errors.append(GraphQLError("Unknown type \"\(definition.type.name)\".", at: definition.offset))
            return
        }
        guard type.isInput else {
            errors.append(
                GraphQLError(
                    "Variable \"$\(definition.name)\" cannot be non-input type \"\(definition.type)\".",
                    at: definition.offset
                )
            )
            return
        }
        guard let literal = definition.defaultValue else { return }
        do {
            _ = try GraphQLInputs(schema: schema, variables: .known([:])).value(of: literal, as: definition.type)
        } catch {
            errors.append(GraphQLError(error.message, at: definition.offset))
        }
    }

    /// Section 5.8.5.
    private func allows(
        _ definition: GraphQLDocument.VariableDefinition,
        _ expected: GraphQLType,
        placeHasDefault: Bool
    ) -> Bool {
        guard expected.isNonNull, !definition.type.isNonNull else {
            return Self.isSubtype(definition.type, of: expected)
        }
        let hasDefault = definition.defaultValue.map { $0 != .null } ?? false
        return (hasDefault || placeHasDefault) && Self.isSubtype(definition.type, of: expected.nullable)
    }

    private static func isSubtype(_ type: GraphQLType, of expected: GraphQLType) -> Bool {
        switch (type, expected) {
        case (.nonNull(let inner), .nonNull(let expected)): isSubtype(inner, of: expected)
        case (_, .nonNull): false
        case (.nonNull(let inner), _): isSubtype(inner, of: expected)
        case (.list(let element), .list(let expected)): isSubtype(element, of: expected)
        case (.named(let name), .named(let expected)): name == expected
        default: false
        }
    }
}
