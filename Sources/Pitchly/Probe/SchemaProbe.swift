import LeaseholdCore

/// Asks an API for its schema (GraphQL specification, section 4).
package enum SchemaProbe {
    /// - Throws by reading it: an answer without `__schema`, as where introspection is switched off.
    package static var operation: GraphQLOperation<SchemaOutline> {
        GraphQLOperation(
            name: "introspection",
            document: query,
            variables: JSONObjectText()
        ) { scanner throws(JSONScanner.Failure) in
            guard let answer = try scanner.decode(Answer.self) else {
                throw JSONScanner.Failure(expected: "a schema, not null", offset: 0)
            }
            return answer.__schema.outline
        }
    }

    /// A type in at most five wrappers, `[[T!]!]!`.
    private static let query = """
        query introspection {
          __schema {
            queryType { name }
            mutationType { name }
            subscriptionType { name }
            types {
              kind
              name
              fields(includeDeprecated: true) {
                name
                args { name defaultValue type { ...Shape } }
                type { ...Shape }
              }
              inputFields { name defaultValue type { ...Shape } }
            }
          }
        }
        fragment Shape on __Type {
          kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name ofType { kind name } } } } }
        }
        """

    private struct Answer: Decodable { let __schema: Schema }

    private struct Schema: Decodable {
        let queryType: Named?
        let mutationType: Named?
        let subscriptionType: Named?
        let types: [Entry]

        var outline: SchemaOutline {
            var outline = SchemaOutline()
            outline.roots["query"] = queryType?.name
            outline.roots["mutation"] = mutationType?.name
            outline.roots["subscription"] = subscriptionType?.name
            for type in types where !type.name.hasPrefix("__") { outline.types[type.name] = type.definition }
            return outline
        }
    }

    private struct Named: Decodable { let name: String }

    private struct Entry: Decodable {
        let kind: String
        let name: String
        let fields: [Field]?
        let inputFields: [Input]?

        var definition: SchemaOutline.Definition {
            switch kind {
            case "OBJECT", "INTERFACE":
                .object(Dictionary(fields?.map { ($0.name, $0.value) } ?? []) { first, _ in first })
            case "UNION": .object([:])
            case "INPUT_OBJECT":
                .input(Dictionary(inputFields?.map { ($0.name, $0.value) } ?? []) { first, _ in first })
            default: .leaf
            }
        }
    }

    private struct Field: Decodable {
        let name: String
        let args: [Input]
        let type: Shape

        var value: SchemaOutline.Field {
            SchemaOutline.Field(
                type: type.value,
                arguments: Dictionary(args.map { ($0.name, $0.value) }) { first, _ in first }
            )
        }
    }

    private struct Input: Decodable {
        let name: String
        let defaultValue: String?
        let type: Shape

        var value: SchemaOutline.Input { SchemaOutline.Input(type: type.value, hasDefault: defaultValue != nil) }
    }

    private final class Shape: Decodable {
        let kind: String
        let name: String?
        let ofType: Shape?

        var value: SchemaType {
            switch (kind, ofType) {
            case ("LIST", let inner?): .list(inner.value)
            case ("NON_NULL", let inner?): .nonNull(inner.value)
            default: .named(name ?? "?")
            }
        }
    }
}
