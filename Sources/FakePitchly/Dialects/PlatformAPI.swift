/// Today's API: `Authorization: Bearer`, workspaces, tables, `recordsConnection`.
struct PlatformAPI: GraphQLDialect {
    let engine: GraphQLEngine
    let world: FakeWorld
    let authority: TokenAuthority
    let settings: APISettings

    var endpoint: FaultRule.Endpoint { .graphql }

    var unauthenticated: GraphQLError {
        GraphQLError("The access token is invalid or has expired.", code: "UNAUTHENTICATED")
    }

    func caller(of request: FakeRequest, _ operation: PreparedOperation?) -> APICaller? {
        guard let token = request.bearerToken, let known = authority.validAccessToken(token) else { return nil }
        return APICaller(organization: known.organization, scopes: known.scopes, accessToken: token)
    }

    func admitsAnonymous(_ operation: PreparedOperation?) -> Bool {
        settings.introspection == .open && operation?.isIntrospection == true
    }

    func table(of root: PlannedField) -> String? {
        root.argument("tableId").stringValue ?? (root.name == "table" ? root.argument("id").stringValue : nil)
    }

    func render(_ error: GraphQLError, document: String) -> JSONValue { error.json(document: document) }

    func resolve(_ call: APICall, _ writer: inout JSONWriter) throws(GraphQLError) {
        let field = call.field
        switch field.name {
        case "__schema": return GraphQLIntrospection(schema: engine.schema).writeSchema(field, &writer)
        case "__type": return GraphQLIntrospection(schema: engine.schema).writeType(field, &writer)
        default: break
        }
        guard let caller = call.caller, let organization = world.organization(caller.organization) else {
            throw unauthenticated
        }
        switch field.name {
        case "organization":
            writer.object("Organization", field.selection) { _, writer in writer.string(organization.id) }
        case "viewer": writeViewer(field.selection, organization, &writer)
        case "workspaces":
            writer.list(organization.workspaces) { workspace, writer in
                write(workspace, organization, field.selection, &writer)
            }
        case "workspace":
            let id = field.argument("id").stringValue
            guard let workspace = organization.workspaces.first(where: { $0.id == id }) else {
                return writer.raw("null")
            }
            write(workspace, organization, field.selection, &writer)
        case "table":
            guard let table = table(field.argument("id"), organization) else { return writer.raw("null") }
            write(table.snapshot, field.selection, &writer)
        case "recordsConnection": try writeRecords(call, try existingTable(field, organization), &writer)
        case "updateRecords": try updateRecords(call, try existingTable(field, organization), &writer)
        default: throw GraphQLError("\(field.name) is not served.", code: "INTERNAL_SERVER_ERROR")
        }
    }

    /// Another organisation's table is as good as none.
    private func table(_ id: JSONValue, _ organization: FakeOrganization) -> FakeTable? {
        organization.tables.first { $0.id == id.stringValue }
    }

    private func existingTable(
        _ field: PlannedField,
        _ organization: FakeOrganization
    ) throws(GraphQLError) -> FakeTable {
        guard let table = table(field.argument("tableId"), organization) else {
            throw GraphQLError("Table not found.", code: "NOT_FOUND", at: field.offset)
        }
        return table
    }

    private func writeViewer(
        _ selection: [PlannedField],
        _ organization: FakeOrganization,
        _ writer: inout JSONWriter
    ) {
        writer.object("Viewer", selection) { field, writer in
            switch field.name {
            case "tier": writer.string(organization.isLarge ? "enterprise" : "team")
            case "tierSettings": writer.value(["maxRecords": nil, "features": ["api": true]])
            default:
                writer.object("Person", field.selection) { field, writer in
                    switch field.name {
                    case "id": writer.string(organization.person)
                    case "name": writer.string("Zoë \"Z\" Ångström")
                    case "email": writer.string("zoe@\(organization.id.lowercased()).example")
                    default: writer.raw("null")
                    }
                }
            }
        }
    }

    private func write(
        _ workspace: FakeOrganization.Workspace,
        _ organization: FakeOrganization,
        _ selection: [PlannedField],
        _ writer: inout JSONWriter
    ) {
        writer.object("Workspace", selection) { field, writer in
            switch field.name {
            case "id": writer.string(workspace.id)
            case "name": writer.string(workspace.name)
            default:
                let tables = organization.tables.filter { $0.workspace == workspace.id }
                writer.list(tables) { table, writer in write(table.snapshot, field.selection, &writer) }
            }
        }
    }

    private func write(_ table: TableState, _ selection: [PlannedField], _ writer: inout JSONWriter) {
        writer.object("Table", selection) { member, writer in
            switch member.name {
            case "id": writer.string(table.id)
            case "name": writer.string(table.name)
            default:
                writer.list(table.fields) { field, writer in
                    writer.object("Field", member.selection) { member, writer in
                        switch member.name {
                        case "id": writer.string(settings.fieldIDs == .composite ? field.compositeName : field.id)
                        case "name": writer.string(field.name)
                        default: writer.string(field.type.rawValue)
                        }
                    }
                }
            }
        }
    }
}
