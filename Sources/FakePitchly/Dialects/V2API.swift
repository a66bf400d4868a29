/// The older API: the token is an argument, databases, rows by `limit` and `skip`.
struct V2API: GraphQLDialect {
    let engine: GraphQLEngine
    let world: FakeWorld
    let authority: TokenAuthority
    let settings: APISettings

    var endpoint: FaultRule.Endpoint { .v2 }

    var unauthenticated: GraphQLError {
        GraphQLError("This app does not have permission to perform this action.", code: "not-authorized")
    }

    static func notFound(_ what: String) -> GraphQLError {
        GraphQLError("\(what) not found.", code: "not-found")
    }

    /// Every root field brings its own token, so the first one speaks for the request log and the
    /// faults, and ``resolve(_:_:)`` looks at each.
    func caller(of request: FakeRequest, _ operation: PreparedOperation?) -> APICaller? {
        operation?.roots.lazy.compactMap(caller).first
    }

    /// A wrong token is the affair of its field.
    func admitsAnonymous(_ operation: PreparedOperation?) -> Bool { true }

    private func caller(of field: PlannedField) -> APICaller? {
        if let token = field.argument("accessToken").stringValue {
            guard let known = authority.validAccessToken(token) else { return nil }
            return APICaller(organization: known.organization, scopes: known.scopes, accessToken: token)
        }
        guard field.argument("secretKey").stringValue == authority.behaviour.clientSecret else { return nil }
        let named = field.argument("organizationId").stringValue.flatMap(world.organizationID)
        guard let organization = named ?? database(of: field)?.organization else { return nil }
        return APICaller(organization: organization, scopes: authority.behaviour.scopes, accessToken: nil)
    }

    private func database(of field: PlannedField) -> FakeTable? {
        let id = field.argument("databaseId").stringValue ?? field.argument("id").stringValue
        return id.flatMap(world.table)
    }

    func table(of root: PlannedField) -> String? { database(of: root)?.id }

    /// The documented shape for what went wrong while running; what is wrong with the document itself
    /// comes as the GraphQL library words it.
    func render(_ error: GraphQLError, document: String) -> JSONValue {
        if error.code.hasPrefix("GRAPHQL_") || error.code == "OPERATION_RESOLUTION_FAILURE" {
            return error.json(document: document)
        }
        return [
            "message": "An error has occurred",
            "name": "GQLError",
            "time_thrown": .string(CivilTime.iso(milliseconds: authority.clock.now)),
            "data": ["error": .string(error.code), "reason": .string(error.message)],
        ]
    }

    func resolve(_ call: APICall, _ writer: inout JSONWriter) throws(GraphQLError) {
        let field = call.field
        switch field.name {
        case "__schema": return GraphQLIntrospection(schema: engine.schema).writeSchema(field, &writer)
        case "__type": return GraphQLIntrospection(schema: engine.schema).writeType(field, &writer)
        default: break
        }
        guard let caller = caller(of: field) else { throw unauthenticated }
        if field.name == "databases" { return try writeDatabases(field, caller, &writer) }
        let table = database(of: field).flatMap { $0.organization == caller.organization ? $0 : nil }
        guard let table else {
            if field.name == "database" { return writer.raw("null") }
            throw Self.notFound("Database")
        }
        switch field.name {
        case "database": write(table.snapshot, field.selection, &writer)
        case "data": try writeRows(call, table.snapshot, &writer)
        case "dataCount": writer.integer(call.has(.emptyPage) ? 0 : try count(field, table.snapshot))
        case "insertRow": try insertRow(field, table, &writer)
        case "updateRow": try updateRow(field, table, &writer)
        case "upsertRow": try upsertRow(field, table, &writer)
        case "deleteRow": try deleteRow(field, table, &writer)
        default: throw GraphQLError("\(field.name) is not served.", code: "internal-error")
        }
    }

    private func writeDatabases(
        _ field: PlannedField,
        _ caller: APICaller,
        _ writer: inout JSONWriter
    ) throws(GraphQLError) {
        let named = field.argument("organizationId").stringValue.flatMap(world.organizationID)
        guard named == caller.organization, let organization = world.organization(caller.organization) else {
            throw unauthenticated
        }
        writer.list(organization.tables) { table, writer in write(table.snapshot, field.selection, &writer) }
    }

    private func write(_ table: TableState, _ selection: [PlannedField], _ writer: inout JSONWriter) {
        writer.object("Database", selection) { member, writer in
            switch member.name {
            case "_id": writer.string(String(table.id.dropFirst(3)))
            case "name": writer.string(table.name)
            default:
                writer.list(Array(table.fields.enumerated())) { numbered, writer in
                    writer.object("Field", member.selection) { member, writer in
                        write(member, of: numbered.element, isFirst: numbered.offset == 0, &writer)
                    }
                }
            }
        }
    }

    private func write(
        _ member: PlannedField,
        of field: FakeField,
        isFirst: Bool,
        _ writer: inout JSONWriter
    ) {
        switch member.name {
        case "_id": writer.raw(field.v2ID)
        case "name": writer.string(field.name)
        case "type": writer.string(field.type.v2Name)
        case "primary": isFirst ? writer.raw("true") : writer.raw("null")
        default: writer.raw("null")
        }
    }
}
