extension JSONWriter {
    /// An object with the selected members; `member` writes each one's value. For objects of which
    /// there are few: records have ``RecordTemplate``.
    mutating func object<Failure: Error>(
        _ typeName: String,
        _ selection: [PlannedField],
        _ member: (PlannedField, inout JSONWriter) throws(Failure) -> Void
    ) throws(Failure) {
        for (place, field) in selection.enumerated() {
            byte(place == 0 ? 0x7B : 0x2C)
            raw(field.keyBytes)
            if field.name == "__typename" { string(typeName) } else { try member(field, &self) }
        }
        byte(0x7D)
    }

    mutating func list<Element>(_ elements: [Element], _ element: (Element, inout JSONWriter) -> Void) {
        byte(0x5B)
        for (place, item) in elements.enumerated() {
            if place > 0 { byte(0x2C) }
            element(item, &self)
        }
        byte(0x5D)
    }
}
