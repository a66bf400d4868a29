/// Runs the roots of an operation one after the other and writes the answer (GraphQL specification,
/// sections 6.2 and 7.1).
struct GraphQLAnswer {
    /// Writes one root's value; `writer` stands behind the key.
    typealias Resolve = (_ field: PlannedField, _ writer: inout JSONWriter) throws(GraphQLError) -> Void

    /// An error in a root that may not be null makes `data` null (section 6.4.4).
    ///
    /// - Parameter also: errors that stand beside the data, as a gateway reports them.
    static func run(
        _ operation: PreparedOperation,
        typeName: String,
        also: [GraphQLError] = [],
        render: (GraphQLError) -> JSONValue,
        resolve: Resolve
    ) -> [UInt8] {
        var writer = JSONWriter(capacity: 4096)
        var errors = also
        var dataIsNull = false
        writer.raw("{\"data\":")
        let start = writer.position
        for (place, field) in operation.roots.enumerated() {
            writer.byte(place == 0 ? 0x7B : 0x2C)
            writer.raw(field.keyBytes)
            let valueStart = writer.position
            do throws(GraphQLError) {
                if field.name == "__typename" { writer.string(typeName) } else { try resolve(field, &writer) }
            } catch {
                var error = error
                error.path = error.path ?? [.string(field.key)]
                errors.append(error)
                dataIsNull = field.type.isNonNull
                writer.rewind(to: dataIsNull ? start : valueStart)
                writer.raw("null")
                if dataIsNull { break }
            }
        }
        if !dataIsNull { writer.byte(0x7D) }
        if !errors.isEmpty {
            writer.raw(",\"errors\":")
            writer.value(.array(errors.map(render)))
        }
        writer.byte(0x7D)
        return writer.bytes
    }

    /// `data` null and nothing run.
    static func refused(_ errors: [GraphQLError], render: (GraphQLError) -> JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.raw("{\"errors\":")
        writer.value(.array(errors.map(render)))
        writer.raw(",\"data\":null}")
        return writer.bytes
    }
}
