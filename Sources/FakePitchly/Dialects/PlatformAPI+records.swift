/// Reading pages of records and writing records back.
extension PlatformAPI {
    func writeRecords(_ call: APICall, _ table: FakeTable, _ writer: inout JSONWriter) throws(GraphQLError) {
        let field = call.field
        let limit = try pageSize(field.argument("first"))
        if call.has(.expiredCursor) { throw Self.invalidCursor }
        let updatedAfter = field.argument("filter")["updatedAfter"].stringValue
            .flatMap { CivilTime.milliseconds(ofISO: $0) }
        let state = table.snapshot
        var after = 0
        if let text = field.argument("after").stringValue {
            guard let key = PageCursor(table: state).orderKey(of: text) else { throw Self.invalidCursor }
            after = key
        }
        let isEmpty = call.has(.emptyPage)
        let page = isEmpty ? .init() : state.page(after: after, limit: limit, updatedAfter: updatedAfter)
        writer.object("RecordsConnection", field.selection) { member, writer in
            switch member.name {
            case "edges": write(page, of: state, member.selection, &writer)
            case "pageInfo": writePageInfo(page, of: state, member.selection, &writer)
            default: writer.integer(isEmpty ? 0 : total(state, updatedAfter: updatedAfter))
            }
        }
    }

    private static let invalidCursor = GraphQLError("The cursor is invalid or has expired.", code: "BAD_USER_INPUT")

    private func pageSize(_ first: JSONValue) throws(GraphQLError) -> Int {
        guard let first = first.intValue else { return min(settings.defaultPageSize, settings.maxPageSize) }
        guard first >= 0 else { throw .badInput("\"first\" must not be negative.") }
        guard first > settings.maxPageSize else { return first }
        guard settings.oversizedPages == .clamped else {
            throw .badInput("\"first\" must be at most \(settings.maxPageSize).")
        }
        return settings.maxPageSize
    }

    private func total(_ state: TableState, updatedAfter: Int?) -> Int {
        guard updatedAfter != nil else { return state.count }
        return state.page(after: 0, limit: .max, updatedAfter: updatedAfter).numbers.count
    }

    private func write(
        _ page: TableState.Page,
        of state: TableState,
        _ selection: [PlannedField],
        _ writer: inout JSONWriter
    ) {
        let cursor = PageCursor(table: state)
        let templates = selection.map { member in
            member.name == "node" ? RecordTemplate(member.selection, fields: state.fields, .platform) : nil
        }
        writer.list(page.numbers) { number, writer in
            for (place, member) in selection.enumerated() {
                writer.byte(place == 0 ? 0x7B : 0x2C)
                writer.raw(member.keyBytes)
                if let template = templates[place] {
                    template.write(number, of: state, to: &writer)
                } else if member.name == "cursor" {
                    writer.string(cursor.text(of: state.orderKey(of: number)))
                } else {
                    writer.raw("\"RecordEdge\"")
                }
            }
            writer.byte(0x7D)
        }
    }

    private func writePageInfo(
        _ page: TableState.Page,
        of state: TableState,
        _ selection: [PlannedField],
        _ writer: inout JSONWriter
    ) {
        writer.object("PageInfo", selection) { member, writer in
            switch member.name {
            case "hasNextPage": writer.value(.bool(page.hasNext))
            default:
                let last = page.numbers.last.map { PageCursor(table: state).text(of: state.orderKey(of: $0)) }
                writer.value(JSONValue(last))
            }
        }
    }

    /// All records or, where one is refused, none.
    func updateRecords(_ call: APICall, _ table: FakeTable, _ writer: inout JSONWriter) throws(GraphQLError) {
        guard call.caller?.scopes.contains("records:update") == true else {
            throw GraphQLError("The access token may not update records.", code: "FORBIDDEN")
        }
        let updates = call.field.argument("records").arrayValue ?? []
        let now = authority.clock.now
        let (state, numbers) = try table.withState { state throws(GraphQLError) in
            var changed = state
            var numbers: [Int] = []
            for update in updates {
                guard let number = changed.number(ofRecord: update["id"].stringValue ?? "") else {
                    throw GraphQLError("Record not found.", code: "NOT_FOUND")
                }
                try changed.write(cells: update["fields"], to: number, now: now)
                numbers.append(number)
            }
            state = changed
            return (changed, numbers)
        }
        let template = RecordTemplate(call.field.selection, fields: state.fields, .platform)
        writer.list(numbers) { number, writer in template.write(number, of: state, to: &writer) }
    }
}

extension TableState {
    /// Cells as both dialects send them: `[{"fieldId": …, "value": {"val": …}}]`.
    mutating func write(cells: JSONValue, to number: Int, now: Int) throws(GraphQLError) {
        let written = Self.cells(cells)
        do {
            try write(written, to: number, now: now)
        } catch {
            throw .badInput(error.description)
        }
        receivedWrites.append(ReceivedWrite(kind: .update, record: records.id(of: number), cells: written, at: now))
    }

    static func cells(_ list: JSONValue) -> JSONObject {
        JSONObject((list.arrayValue ?? []).map { ($0["fieldId"].stringValue ?? "", $0["value"]) })
    }
}
