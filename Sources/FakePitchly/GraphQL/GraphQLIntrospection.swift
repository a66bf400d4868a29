/// Answers `__schema` and `__type` from the schema itself (GraphQL specification, section 4).
struct GraphQLIntrospection {
    let schema: GraphQLSchema

    /// What a meta-field speaks about.
    private enum Subject {
        case schema
        case type(GraphQLType)
        case field(GraphQLSchema.FieldDefinition)
        case input(GraphQLSchema.InputDefinition)
        case enumValue(String)
        case directive(GraphQLSchema.DirectiveDefinition)
    }

    func writeSchema(_ field: PlannedField, _ writer: inout JSONWriter) {
        write(.schema, field.selection, &writer)
    }

    /// Null for a name that the schema has not.
    func writeType(_ field: PlannedField, _ writer: inout JSONWriter) {
        let name = field.argument("name").stringValue ?? ""
        guard schema[name] != nil else { return writer.raw("null") }
        write(.type(.named(name)), field.selection, &writer)
    }

    private func write(_ subject: Subject, _ selection: [PlannedField], _ writer: inout JSONWriter) {
        for (place, field) in selection.enumerated() {
            writer.byte(place == 0 ? 0x7B : 0x2C)
            writer.raw(field.keyBytes)
            switch subject {
            case .schema: writeSchemaMember(field, &writer)
            case .type(let type): writeTypeMember(field, of: type, &writer)
            case .field(let definition): writeFieldMember(field, of: definition, &writer)
            case .input(let definition): writeInputMember(field, of: definition, &writer)
            case .enumValue(let name): writeEnumValueMember(field, of: name, &writer)
            case .directive(let directive): writeDirectiveMember(field, of: directive, &writer)
            }
        }
        writer.byte(0x7D)
    }

    private func list(_ subjects: [Subject], _ field: PlannedField, _ writer: inout JSONWriter) {
        writer.byte(0x5B)
        for (place, subject) in subjects.enumerated() {
            if place > 0 { writer.byte(0x2C) }
            write(subject, field.selection, &writer)
        }
        writer.byte(0x5D)
    }

    private func writeSchemaMember(_ field: PlannedField, _ writer: inout JSONWriter) {
        switch field.name {
        case "types": list(schema.typeNames.map { .type(.named($0)) }, field, &writer)
        case "queryType": writeRoot(.query, field, &writer)
        case "mutationType": writeRoot(.mutation, field, &writer)
        case "subscriptionType": writeRoot(.subscription, field, &writer)
        case "directives": list(GraphQLSchema.directives.map { .directive($0) }, field, &writer)
        case "__typename": writer.string("__Schema")
        default: writer.raw("null")
        }
    }

    private func writeRoot(
        _ kind: GraphQLDocument.Operation.Kind,
        _ field: PlannedField,
        _ writer: inout JSONWriter
    ) {
        guard let root = schema.root(of: kind) else { return writer.raw("null") }
        write(.type(.named(root.name)), field.selection, &writer)
    }

    private func writeTypeMember(_ field: PlannedField, of type: GraphQLType, _ writer: inout JSONWriter) {
        let definition: GraphQLSchema.TypeDefinition?
        if case .named(let name) = type { definition = schema[name] } else { definition = nil }
        switch (field.name, definition?.kind, type) {
        case ("__typename", _, _): writer.string("__Type")
        case ("kind", _, _): writer.string(kind(of: type, definition))
        case ("name", .some, _): writer.value(JSONValue(definition?.name))
        case ("description", .some, _): writer.value(JSONValue(definition?.description))
        case ("fields", .object(let fields), _): list(fields.map { .field($0) }, field, &writer)
        case ("interfaces", .object, _): writer.raw("[]")
        case ("inputFields", .inputObject(let inputs), _): list(inputs.map { .input($0) }, field, &writer)
        case ("isOneOf", .inputObject, _): writer.raw("false")
        case ("enumValues", .enumeration(let values), _): list(values.map { .enumValue($0) }, field, &writer)
        case ("ofType", _, .list(let inner)), ("ofType", _, .nonNull(let inner)):
            write(.type(inner), field.selection, &writer)
        default: writer.raw("null")
        }
    }

    private func kind(of type: GraphQLType, _ definition: GraphQLSchema.TypeDefinition?) -> String {
        switch (type, definition?.kind) {
        case (.list, _): "LIST"
        case (.nonNull, _): "NON_NULL"
        case (_, .object): "OBJECT"
        case (_, .inputObject): "INPUT_OBJECT"
        case (_, .enumeration): "ENUM"
        case (_, .scalar), (_, nil): "SCALAR"
        }
    }

    private func writeFieldMember(
        _ field: PlannedField,
        of definition: GraphQLSchema.FieldDefinition,
        _ writer: inout JSONWriter
    ) {
        switch field.name {
        case "name": writer.string(definition.name)
        case "description": writer.value(JSONValue(definition.description))
        case "args": list(definition.arguments.map { .input($0) }, field, &writer)
        case "type": write(.type(definition.type), field.selection, &writer)
        case "isDeprecated": writer.raw("false")
        case "__typename": writer.string("__Field")
        default: writer.raw("null")
        }
    }

    private func writeInputMember(
        _ field: PlannedField,
        of definition: GraphQLSchema.InputDefinition,
        _ writer: inout JSONWriter
    ) {
        switch field.name {
        case "name": writer.string(definition.name)
        case "description": writer.value(JSONValue(definition.description))
        case "type": write(.type(definition.type), field.selection, &writer)
        case "defaultValue": writer.value(JSONValue(definition.defaultValue?.shown))
        case "isDeprecated": writer.raw("false")
        case "__typename": writer.string("__InputValue")
        default: writer.raw("null")
        }
    }

    private func writeEnumValueMember(_ field: PlannedField, of name: String, _ writer: inout JSONWriter) {
        switch field.name {
        case "name": writer.string(name)
        case "isDeprecated": writer.raw("false")
        case "__typename": writer.string("__EnumValue")
        default: writer.raw("null")
        }
    }

    private func writeDirectiveMember(
        _ field: PlannedField,
        of directive: GraphQLSchema.DirectiveDefinition,
        _ writer: inout JSONWriter
    ) {
        switch field.name {
        case "name": writer.string(directive.name)
        case "description": writer.string(directive.description)
        case "isRepeatable": writer.raw("false")
        case "locations": writer.value(.array(directive.locations.map(JSONValue.string)))
        case "args": list(directive.arguments.map { .input($0) }, field, &writer)
        case "__typename": writer.string("__Directive")
        default: writer.raw("null")
        }
    }
}
