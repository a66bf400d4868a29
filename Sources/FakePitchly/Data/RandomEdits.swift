/// Makes edits that a busy organisation might make, the same ones for the same seed and table.
struct RandomEdits {
    private var hash: SeededHash

    init(seed: UInt64) { hash = SeededHash(seed, 0xED17) }

    /// One edit that fits the table as it is now. Changes of fields come once in 25.
    mutating func next(for table: TableState) -> TableEdit {
        guard table.count > 0 else { return .insert(cells: JSONObject()) }
        if hash.oneIn(25) { return fieldEdit(for: table) }
        switch hash.below(10) {
        case 0, 1: return .insert(cells: cells(for: table))
        case 2: return .delete(record: record(of: table))
        case 3: return .move(record: record(of: table), before: hash.oneIn(4) ? nil : record(of: table))
        default: return .update(record: record(of: table), cells: cells(for: table))
        }
    }

    private mutating func fieldEdit(for table: TableState) -> TableEdit {
        let field = table.fields[hash.below(table.fields.count)]
        let type = FieldType.allCases[hash.below(FieldType.allCases.count)]
        switch hash.below(6) {
        case 0: return .addField(name: name(), type: type)
        case 1 where table.fields.count > 3: return .removeField(field.id)
        case 2: return .retypeField(field.id, type: type)
        case 3: return .moveField(field.id, to: hash.below(table.fields.count))
        case 4: return .renameTable(name())
        default: return .renameField(field.id, name: name())
        }
    }

    private mutating func name() -> String {
        let names = ["Größe", "Name", "name", "Über \"uns\"", "a'b", "🚀 Start", "select", "x\\y", " padded ", "Total"]
        let number = hash.below(50)
        return hash.oneIn(20)
            ? String(repeating: "long name ", count: 30) + String(number)
            : "\(names[hash.below(names.count)]) \(number)"
    }

    /// A live record; the search after a random start is bounded by the number of deleted ones.
    private mutating func record(of table: TableState) -> String {
        var number = hash.below(table.nextNumber)
        while !table.isLive(number) { number = (number + 1) % table.nextNumber }
        return table.records.id(of: number)
    }

    private mutating func cells(for table: TableState) -> JSONObject {
        var cells = JSONObject()
        let writable = table.fields.filter { !$0.type.isReadOnly }
        guard !writable.isEmpty else { return cells }
        for _ in 0...hash.below(3) {
            let field = writable[hash.below(writable.count)]
            cells[field.id] = hash.oneIn(8) ? .null : value(for: field)
        }
        return cells
    }

    private mutating func value(for field: FakeField) -> JSONValue {
        let number = hash.below(1_000_000)
        switch field.type {
        case .text, .multilineText: return ["val": .string("edited \"\(number)\" – naïve\n🚀")]
        case .number: return ["val": .number("\(number).\(number % 90 + 10)")]
        case .boolean: return ["val": .bool(number % 2 == 0)]
        case .dropdown: return ["val": .string("Choice \(number % 10)")]
        case .dropdownMultiple: return ["val": ["Omaha", .string("Choice \(number % 10)")]]
        case .date:
            return ["val": .string(CivilTime.iso(milliseconds: number * CivilTime.millisecondsPerDay / 50).prefix10)]
        case .currency: return ["val": .number("\(number).25"), "currency": "EUR"]
        case .attachment:
            return [
                "val": .string("https://files.pitchly.example/\(number).png"), "type": "image/png",
                "size": JSONValue(number),
            ]
        case .reference:
            return ["val": .string("\(String(decoding: field.fixed.target.prefix, as: UTF8.self))rec\(number)")]
        case .referenceMultiple: return ["val": [.string("rec\(number)"), .string("rec\(number + 1)")]]
        case .lookup, .createdAt, .updatedAt, .formula, .rollup: return .null
        }
    }
}

extension String {
    /// The date of an RFC 3339 time.
    fileprivate var prefix10: String { String(prefix(10)) }
}
