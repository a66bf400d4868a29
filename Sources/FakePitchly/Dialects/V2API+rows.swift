/// Rows: pages by `limit` and `skip`, an assumed `filter`, and the four mutations.
extension V2API {
    func writeRows(_ call: APICall, _ state: TableState, _ writer: inout JSONWriter) throws(GraphQLError) {
        let field = call.field
        let limit = try natural(field.argument("limit"), "limit") ?? settings.defaultPageSize
        let skip = try natural(field.argument("skip"), "skip") ?? 0
        if limit > settings.maxPageSize, settings.oversizedPages == .refused {
            throw GraphQLError("limit must be at most \(settings.maxPageSize).", code: "bad-limit")
        }
        if call.has(.expiredCursor) { throw GraphQLError("These rows can no longer be skipped.", code: "bad-skip") }
        let size = min(limit, settings.maxPageSize)
        var numbers: [Int] = []
        if !call.has(.emptyPage) {
            let filter = try filter(field.argument("filter"), state)
            numbers =
                filter.isEmpty
                ? state.page(skip: skip, limit: size).numbers
                : Array(matching(filter, state).dropFirst(skip).prefix(size))
        }
        let template = RecordTemplate(field.selection, fields: state.fields, .v2)
        writer.list(numbers) { number, writer in template.write(number, of: state, to: &writer) }
    }

    func count(_ field: PlannedField, _ state: TableState) throws(GraphQLError) -> Int {
        let filter = try filter(field.argument("filter"), state)
        return filter.isEmpty ? state.count : matching(filter, state).count
    }

    private func natural(_ value: JSONValue, _ name: String) throws(GraphQLError) -> Int? {
        guard let number = value.intValue else { return nil }
        guard number >= 0 else { throw GraphQLError("\(name) must not be negative.", code: "bad-\(name)") }
        return number
    }

    enum Condition {
        case id(String)
        case cell(FakeField, val: JSONValue)
    }

    /// Assumed, since the published pages do not show it: `{"<fieldId>": <val>, "_id": "<rowId>"}`,
    /// all of which must be equal.
    private func filter(_ json: JSONValue, _ state: TableState) throws(GraphQLError) -> [Condition] {
        if json.isNull { return [] }
        guard let members = json.objectValue?.members else {
            throw GraphQLError("filter must be an object.", code: "bad-filter")
        }
        var conditions: [Condition] = []
        for member in members {
            if member.name == "_id", let id = member.value.stringValue {
                conditions.append(.id(id))
            } else if let field = state.field(named: member.name) {
                conditions.append(.cell(field, val: member.value))
            } else {
                throw GraphQLError("filter names an unknown field \(member.name).", code: "bad-filter")
            }
        }
        return conditions
    }

    private func matching(_ conditions: [Condition], _ state: TableState) -> [Int] {
        var numbers: [Int] = []
        state.forEachLive(after: 0) { number in
            let holds = conditions.allSatisfy { condition in
                switch condition {
                case .id(let id): state.number(ofRecord: id) == number
                case .cell(let field, let val): state.val(field, number) == val
                }
            }
            if holds { numbers.append(number) }
            return true
        }
        return numbers
    }

    func insertRow(_ field: PlannedField, _ table: FakeTable, _ writer: inout JSONWriter) throws(GraphQLError) {
        let now = authority.clock.now
        let cells = TableState.cells(field.argument("row")["cols"])
        try change(table, field, &writer) { state throws(GraphQLError) in
            try state.insertOnly(cells, now: now)
        }
    }

    func updateRow(_ field: PlannedField, _ table: FakeTable, _ writer: inout JSONWriter) throws(GraphQLError) {
        let now = authority.clock.now
        try change(table, field, &writer) { state throws(GraphQLError) in
            guard let number = state.number(ofRecord: field.argument("rowId").stringValue ?? "") else {
                throw Self.notFound("Row")
            }
            try state.write(cells: field.argument("row")["cols"], to: number, now: now)
            return number
        }
    }

    /// No row that equals in all `matchFields` inserts, one updates, more are an error; each of these
    /// fields must be in the row and not empty.
    func upsertRow(_ field: PlannedField, _ table: FakeTable, _ writer: inout JSONWriter) throws(GraphQLError) {
        let now = authority.clock.now
        let cols = field.argument("row")["cols"]
        let names = field.argument("matchFields").arrayValue?.compactMap(\.stringValue) ?? []
        try change(table, field, &writer) { state throws(GraphQLError) in
            let conditions = try Self.conditions(names, TableState.cells(cols), state)
            let found = matching(conditions, state)
            guard found.count < 2 else {
                throw GraphQLError("More than one row matches.", code: "multiple-matches")
            }
            guard let number = found.first else { return try state.insertOnly(TableState.cells(cols), now: now) }
            try state.write(cells: cols, to: number, now: now)
            return number
        }
    }

    private static func conditions(
        _ names: [String],
        _ cells: JSONObject,
        _ state: TableState
    ) throws(GraphQLError) -> [Condition] {
        guard !names.isEmpty else { throw GraphQLError("matchFields must not be empty.", code: "bad-match-fields") }
        var conditions: [Condition] = []
        for name in names {
            guard let field = state.field(named: name),
                let val = cells.members.first(where: { field.isNamed($0.name) })?.value["val"],
                !val.isNull, val != ""
            else { throw GraphQLError("The row has no value for \(name).", code: "bad-match-fields") }
            conditions.append(.cell(field, val: val))
        }
        return conditions
    }

    func deleteRow(_ field: PlannedField, _ table: FakeTable, _ writer: inout JSONWriter) throws(GraphQLError) {
        try table.withState { state throws(GraphQLError) in
            guard let number = state.number(ofRecord: field.argument("rowId").stringValue ?? "") else {
                throw Self.notFound("Row")
            }
            state.delete(number)
        }
        writer.raw("true")
    }

    /// Runs `body` on the table and writes the row it returns.
    private func change(
        _ table: FakeTable,
        _ field: PlannedField,
        _ writer: inout JSONWriter,
        _ body: (inout TableState) throws(GraphQLError) -> Int
    ) throws(GraphQLError) {
        let (state, number) = try table.withState { state throws(GraphQLError) in
            var changed = state
            let number = try body(&changed)
            state = changed
            return (changed, number)
        }
        RecordTemplate(field.selection, fields: state.fields, .v2).write(number, of: state, to: &writer)
    }
}

extension TableState {
    /// The `val` of a cell, null where it is empty.
    fileprivate func val(_ field: FakeField, _ number: Int) -> JSONValue {
        var writer = JSONWriter()
        cell(field, number).writeValue(field, to: &writer)
        return ((try? JSONParser.parse(writer.bytes)) ?? .null)["val"]
    }

    /// A row has nothing but what was sent: no seeded cells.
    fileprivate mutating func insertOnly(_ cells: JSONObject, now: Int) throws(GraphQLError) -> Int {
        do throws(EditRefused) {
            let id = try insert(cells, now: now)
            guard let number = number(ofRecord: id) else { throw EditRefused("row lost") }
            for field in fields where !field.type.isReadOnly && edits[number]?.cells[field.id] == nil {
                edits[number]?.cells[field.id] = .empty
            }
            receivedWrites.append(ReceivedWrite(kind: .insert, record: id, cells: cells, at: now))
            return number
        } catch {
            throw .badInput(error.description)
        }
    }
}
