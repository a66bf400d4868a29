extension TableState {
    /// Applies one edit at `now` (milliseconds since 1970).
    ///
    /// - Returns: the id of the record or field that was inserted, changed or removed.
    @discardableResult
    mutating func apply(_ edit: TableEdit, now: Int) throws(EditRefused) -> String {
        switch edit {
        case .insert(let cells): return try insert(cells, now: now)
        case .update(let record, let cells):
            let number = try existing(record)
            try write(cells, to: number, now: now)
            return records.id(of: number)
        case .delete(let record):
            let number = try existing(record)
            delete(number)
            return records.id(of: number)
        case .move(let record, let before):
            let number = try existing(record)
            place(number, at: try before.map { other throws(EditRefused) in keyBefore(try existing(other)) } ?? nextKey)
            return records.id(of: number)
        case .renameTable(let newName):
            name = newName
            return id
        case .addField(let fieldName, let type):
            let field = makeField(name: fieldName, type: type)
            fields.append(field)
            return field.id
        case .removeField(let field): return try removeField(field, now: now)
        case .renameField(let field, let newName):
            let place = try existingField(field)
            fields[place].name = newName
            return fields[place].id
        case .retypeField(let field, let type):
            let place = try existingField(field)
            fields[place].type = type
            forgetCells(of: fields[place].id, now: now)
            return fields[place].id
        case .moveField(let field, let target):
            let moved = fields.remove(at: try existingField(field))
            fields.insert(moved, at: min(max(target, 0), fields.count))
            return moved.id
        }
    }

    private func existing(_ record: String) throws(EditRefused) -> Int {
        guard let number = number(ofRecord: record) else { throw EditRefused("table \(id) has no record \(record)") }
        return number
    }

    private func existingField(_ name: String) throws(EditRefused) -> Int {
        guard let place = fields.firstIndex(where: { $0.isNamed(name) }) else {
            throw EditRefused("table \(id) has no field \(name)")
        }
        return place
    }

    mutating func insert(_ cells: JSONObject, now: Int) throws(EditRefused) -> String {
        let written = try check(cells)
        let number = nextNumber
        nextNumber += 1
        place(number, at: nextKey)
        edits[number] = RecordEdit(created: now, updated: now, cells: written)
        return records.id(of: number)
    }

    mutating func write(_ cells: JSONObject, to number: Int, now: Int) throws(EditRefused) {
        let written = try check(cells)
        var edit = edits[number] ?? RecordEdit(updated: now)
        edit.revision += 1
        edit.updated = now
        edit.cells.merge(written) { $1 }
        edits[number] = edit
    }

    mutating func delete(_ number: Int) {
        deleted.insert(number)
        edits[number] = nil
        if let key = orderKeys.removeValue(forKey: number) { placed.removeAll { $0.key == key } }
    }

    private func check(_ cells: JSONObject) throws(EditRefused) -> [String: WrittenCell] {
        var written: [String: WrittenCell] = [:]
        for member in cells.members {
            guard let field = field(named: member.name) else {
                throw EditRefused("table \(id) has no field \(member.name)")
            }
            do {
                written[field.id] = try WrittenCell(member.value, for: field)
            } catch {
                throw EditRefused(error.message)
            }
        }
        return written
    }

    private mutating func place(_ number: Int, at key: Int) {
        if let old = orderKeys[number] { placed.removeAll { $0.key == old } }
        orderKeys[number] = key
        placed.insert(Placed(key: key, number: number), at: placed.partition(after: key))
    }

    /// Halfway between a record and the one before it; behind all others where that gap is used up.
    private func keyBefore(_ number: Int) -> Int {
        let key = orderKey(of: number)
        let seededBefore = (key - 1) / Self.keyStep * Self.keyStep
        let index = placed.partition(after: key - 1)
        let placedBefore = index > 0 ? placed[index - 1].key : 0
        let middle = (max(seededBefore, placedBefore) + key) / 2
        return middle > max(seededBefore, placedBefore) ? middle : nextKey
    }

    private mutating func removeField(_ name: String, now: Int) throws(EditRefused) -> String {
        let place = try existingField(name)
        guard fields.count > 1 else { throw EditRefused("table \(id) would be left without a field") }
        let removed = fields.remove(at: place)
        forgetCells(of: removed.id, now: now)
        return removed.id
    }

    /// Also where a type is changed and changed back, which nobody sees in the field: the records say so.
    private mutating func forgetCells(of field: String, now: Int) {
        for number in edits.keys where edits[number]?.cells.removeValue(forKey: field) != nil {
            edits[number]?.updated = now
        }
    }

    mutating func makeField(name: String, type: FieldType) -> FakeField {
        let codec = IdentifierCodec(prefix: "fld", salt: salt ^ 0xF1E1D)
        defer { fieldsMade += 1 }
        return FakeField(
            fixed: FakeField.Fixed(
                id: codec.id(of: fieldsMade),
                workspace: workspace,
                salt: SeededHash.mix(salt ^ UInt64(fieldsMade + 1)),
                target: target
            ),
            name: name,
            type: type
        )
    }
}
