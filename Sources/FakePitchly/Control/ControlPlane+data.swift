import Synchronization

/// Organisations, tables, edits and the truth about records.
extension ControlPlane {
    func organizations(_ request: FakeRequest) throws -> FakeReply {
        let limit = request.query?["limit"].flatMap { Int($0) } ?? 1_000
        let described = try server.organizationIDs.prefix(limit).map { id -> JSONValue in
            let organization = try server.organization(id)
            return [
                "id": .string(organization.id),
                "name": .string(organization.name),
                "isLarge": .bool(organization.isLarge),
                "workspaces": .array(
                    organization.workspaces.map { ["id": .string($0.id), "name": .string($0.name)] }
                ),
                "tables": .array(organization.tables.map(describe)),
            ]
        }
        return .json(.array(Array(described)))
    }

    func describe(_ table: FakeTable) -> JSONValue {
        [
            "id": .string(table.id),
            "organization": .string(table.organization),
            "workspace": .string(table.workspace),
            "name": .string(table.name),
            "records": JSONValue(table.recordCount),
            "fields": .array(
                table.fields.map { field in
                    [
                        "id": .string(field.id), "compositeId": .string(field.compositeName),
                        "name": .string(field.name), "type": .string(field.type.rawValue),
                    ]
                }
            ),
        ]
    }

    func edit(_ body: JSONValue) throws -> FakeReply {
        let table = try text(body, "table")
        if let count = body["random"]["count"].intValue {
            let seed = UInt64(bitPattern: Int64(body["random"]["seed"].intValue ?? 1))
            let edits = try server.editAtRandom(table: table, count: count, seed: seed)
            return .json(["edits": .array(edits.map(\.json))])
        }
        guard let list = body["edits"].arrayValue else {
            throw EditRefused("expected a list \"edits\" or an object \"random\"")
        }
        let ids = try server.edit(table: table, try list.map { try TableEdit(json: $0) })
        return .json(["ids": .array(ids.map(JSONValue.string))])
    }

    func makeTable(_ body: JSONValue) throws -> FakeReply {
        let table = try server.makeTable(
            organization: text(body, "organization"),
            name: text(body, "name"),
            records: body["records"].intValue ?? 0,
            workspace: body["workspace"].stringValue
        )
        return .json(describe(table))
    }

    func digest(_ table: String) throws -> FakeReply {
        let records = try server.table(table).recordCount
        return .json(["digest": .string(try server.digest(table: table)), "records": JSONValue(records)])
    }

    /// Of one moment, in pieces, so that a million records need no memory.
    func records(_ id: String) throws -> FakeReply {
        let state = try server.table(id).snapshot
        let position = Mutex(0)
        var reply = FakeReply(status: 200)
        reply.headers = [("content-type", "application/x-ndjson")]
        reply.body = .pieces {
            let after = position.withLock { $0 }
            let page = state.page(after: after, limit: 1_000)
            guard let last = page.numbers.last else { return nil }
            position.withLock { $0 = state.orderKey(of: last) }
            var writer = JSONWriter(capacity: 1 << 20)
            CanonicalRecords(state: state).writeLines(page.numbers, to: &writer)
            return writer.bytes
        }
        return reply
    }
}
