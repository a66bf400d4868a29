import Crypto

/// The records of a table as the truth to compare a mirror with, row by row.
///
/// One record is one line of JSON without white space, members sorted by name:
/// `{"fields":{"wks…|fld…":{"stringValue":…,"value":…}},"id":"rec…"}`.
struct CanonicalRecords {
    let state: TableState

    /// In table order, `number` after `number`, with a line feed after each.
    func writeLines(_ numbers: [Int], to writer: inout JSONWriter) {
        let fields = sortedFields
        for number in numbers {
            writeLine(number, fields, to: &writer)
            writer.byte(0x0A)
        }
    }

    private var sortedFields: [FakeField] {
        state.fields.sorted { $0.compositeID.lexicographicallyPrecedes($1.compositeID) }
    }

    private func writeLine(_ number: Int, _ fields: [FakeField], to writer: inout JSONWriter) {
        writer.raw("{\"fields\":{")
        for (place, field) in fields.enumerated() {
            if place > 0 { writer.byte(0x2C) }
            writer.raw(field.compositeID)
            let cell = state.cell(field, number)
            writer.raw(":{\"stringValue\":")
            cell.writeStringValue(field, to: &writer)
            writer.raw(",\"value\":")
            switch cell {
            case .seeded(let content): content.writeValue(field, isCanonical: true, to: &writer)
            case .written(let written): writer.raw(Array(written.json.canonicalText.utf8))
            }
            writer.byte(0x7D)
        }
        writer.raw("},\"id\":\"")
        writer.raw(Array(state.records.id(of: number).utf8))
        writer.raw("\"}")
    }

    /// The sum, modulo 2 to the 256th in four limbs of 64 bits without carry between them, of the
    /// SHA-256 of every line without its line feed: it does not depend on the order of the records.
    /// In hexadecimal.
    func digest() -> String {
        let fields = sortedFields
        var sums: [UInt64] = [0, 0, 0, 0]
        var writer = JSONWriter(capacity: 4096)
        state.forEachLive(after: 0) { number in
            writer.rewind(to: 0)
            writeLine(number, fields, to: &writer)
            let hash = Array(SHA256.hash(data: writer.bytes))
            for limb in 0..<4 {
                sums[limb] &+= hash[limb * 8..<limb * 8 + 8].reduce(0) { $0 << 8 | UInt64($1) }
            }
            return true
        }
        return sums.map { String($0, radix: 16).leftPadded(to: 16) }.joined()
    }
}

extension String {
    fileprivate func leftPadded(to width: Int) -> String {
        String(repeating: "0", count: max(0, width - count)) + self
    }
}
