/// Fields, arguments, directives and spreads (sections 5.3 to 5.7).
extension GraphQLValidator {
    mutating func walk(_ selections: [GraphQLDocument.Selection], on type: GraphQLSchema.TypeDefinition) {
        for selection in selections {
            switch selection {
            case .field(let field): walk(field, on: type)
            case .spread(let name, let directives, let offset):
                checkDirectives(directives, location: "FRAGMENT_SPREAD")
                mentions.spreads.append((name, offset))
                checkSpread(name, on: type, at: offset)
            case .inline(let condition, let directives, let selections, let offset):
                checkDirectives(directives, location: "INLINE_FRAGMENT")
                guard let condition else {
                    walk(selections, on: type)
                    continue
                }
                guard let target = compositeType(condition, at: offset) else { continue }
                if target.name != type.name {
                    errors.append(
                        GraphQLError(
                            "Fragment cannot be spread here as objects of type \"\(type.name)\" can never be of type \"\(condition)\".",
                            at: offset
                        )
                    )
                }
                walk(selections, on: target)
            }
        }
    }

    private mutating func checkSpread(_ name: String, on type: GraphQLSchema.TypeDefinition, at offset: Int) {
        guard let fragment = document.fragments.first(where: { $0.name == name }) else {
            errors.append(GraphQLError("Unknown fragment \"\(name)\".", at: offset))
            return
        }
        guard let target = compositeTypeOrNil(fragment.condition), target.name != type.name else { return }
        errors.append(
            GraphQLError(
                "Fragment \"\(name)\" cannot be spread here as objects of type \"\(type.name)\" can never be of type \"\(target.name)\".",
                at: offset
            )
        )
    }

    private mutating func walk(_ field: GraphQLDocument.Field, on type: GraphQLSchema.TypeDefinition) {
        checkDirectives(field.directives, location: "FIELD")
        guard let definition = schema.field(field.name, of: type) else {
            errors.append(
                GraphQLError("Cannot query field \"\(field.name)\" on type \"\(type.name)\".", at: field.offset)
            )
            return
        }
        checkArguments(
            field.arguments,
            definition.arguments,
            unknown: { "Unknown argument \"\($0)\" on field \"\(type.name).\(field.name)\"." },
            missing: {
                "Field \"\(field.name)\" argument \"\($0.name)\" of type \"\($0.type)\" is required, but it was not provided."
            },
            at: field.offset
        )
        guard let target = compositeTypeOrNil(definition.type.name) else {
            if !field.selections.isEmpty {
                errors.append(
                    GraphQLError(
                        "Field \"\(field.name)\" must not have a selection since type \"\(definition.type)\" has no subfields.",
                        at: field.offset
                    )
                )
            }
            return
        }
        if field.selections.isEmpty {
            errors.append(
                GraphQLError(
                    "Field \"\(field.name)\" of type \"\(definition.type)\" must have a selection of subfields. Did you mean \"\(field.name) { ... }\"?",
                    at: field.offset
                )
            )
        }
        walk(field.selections, on: target)
    }

    mutating func checkDirectives(_ directives: [GraphQLDocument.Directive], location: String) {
        var seen: Set<String> = []
        for directive in directives {
            guard let definition = GraphQLSchema.directives.first(where: { $0.name == directive.name }) else {
                errors.append(GraphQLError("Unknown directive \"@\(directive.name)\".", at: directive.offset))
                continue
            }
            if !definition.locations.contains(location) {
                errors.append(
                    GraphQLError(
                        "Directive \"@\(directive.name)\" may not be used on \(location).",
                        at: directive.offset
                    )
                )
            }
            if !seen.insert(directive.name).inserted {
                errors.append(
                    GraphQLError(
                        "The directive \"@\(directive.name)\" can only be used once at this location.",
                        at: directive.offset
                    )
                )
            }
            checkArguments(
                directive.arguments,
                definition.arguments,
                unknown: { "Unknown argument \"\($0)\" on directive \"@\(directive.name)\"." },
                missing: {
                    "Directive \"@\(directive.name)\" argument \"\($0.name)\" of type \"\($0.type)\" is required, but it was not provided."
                },
                at: directive.offset
            )
        }
    }

    private mutating func checkArguments(
        _ given: [GraphQLDocument.Argument],
        _ definitions: [GraphQLSchema.InputDefinition],
        unknown: (String) -> String,
        missing: (GraphQLSchema.InputDefinition) -> String,
        at offset: Int
    ) {
        var seen: Set<String> = []
        for argument in given {
            if !seen.insert(argument.name).inserted {
                errors.append(
                    GraphQLError("There can be only one argument named \"\(argument.name)\".", at: argument.offset)
                )
            }
            guard let definition = definitions.first(where: { $0.name == argument.name }) else {
                errors.append(GraphQLError(unknown(argument.name), at: argument.offset))
                continue
            }
            check(argument.value, definition, at: argument.offset)
        }
        for definition in definitions where definition.isRequired && !seen.contains(definition.name) {
            errors.append(GraphQLError(missing(definition), at: offset))
        }
    }

    private mutating func check(_ literal: GraphQLLiteral, _ definition: GraphQLSchema.InputDefinition, at offset: Int)
    {
        collectVariables(in: literal, type: definition.type, hasDefault: definition.defaultValue != nil)
        do {
            _ = try GraphQLInputs(schema: schema, variables: .unknown).value(of: literal, as: definition.type)
        } catch {
            errors.append(GraphQLError(error.message, at: offset))
        }
    }
}
