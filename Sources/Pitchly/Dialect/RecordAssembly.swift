import Crypto

/// Collects one record's cells as ranges and writes them out in canonical form.
struct RecordAssembly {
    var id: String?
    private var cells: [Cell] = []

    private struct Cell {
        let field: Range<Int>
        let value: Range<Int>?
        let label: Range<Int>?
    }

    mutating func add(field: Range<Int>, value: Range<Int>?, label: Range<Int>?) {
        cells.append(Cell(field: field, value: value, label: label))
    }

    /// The record, leaving the assembly empty for the next.
    ///
    /// The order of the cells is not part of the content: it may change from page to page, so the
    /// canonical form has the order of the field ids. Of two cells of one field the later counts, as
    /// in `jsonb`.
    mutating func finish(
        _ bytes: [UInt8],
        at offset: Int
    ) throws(JSONScanner.Failure) -> PitchlyRecord {
        guard let id else { throw JSONScanner.Failure(expected: "a record with an id", offset: offset) }
        sort(bytes)
        dropRepeated(bytes)
        let fields = fieldsText(bytes)
        let labels = labelsText(bytes)
        var hash = SHA256()
        fields.withUnsafeBytes { hash.update(bufferPointer: $0) }
        labels?.withUnsafeBytes { hash.update(bufferPointer: $0) }
        self.id = nil
        cells.removeAll(keepingCapacity: true)
        return PitchlyRecord(id: id, fields: fields, labels: labels, contentHash: Array(hash.finalize().prefix(16)))
    }

    /// Insertion sort: a record has few cells, and they come in the same order in most records.
    private mutating func sort(_ bytes: [UInt8]) {
        for index in cells.indices.dropFirst() {
            var place = index
            while place > 0, precedes(cells[place].field, cells[place - 1].field, bytes) {
                cells.swapAt(place, place - 1)
                place -= 1
            }
        }
    }

    private mutating func dropRepeated(_ bytes: [UInt8]) {
        for index in cells.indices.dropFirst().reversed()
        where bytes[cells[index].field] == bytes[cells[index - 1].field] {
            cells.remove(at: index - 1)
        }
    }

    private func precedes(_ left: Range<Int>, _ right: Range<Int>, _ bytes: [UInt8]) -> Bool {
        bytes[left].lexicographicallyPrecedes(bytes[right])
    }

    private func fieldsText(_ bytes: [UInt8]) -> [UInt8] {
        var text: [UInt8] = []
        text.reserveCapacity(cells.reduce(2) { $0 + $1.field.count + ($1.value?.count ?? 4) + 2 })
        for cell in cells {
            text.append(text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            text.append(contentsOf: bytes[cell.field])
            text.append(UInt8(ascii: ":"))
            if let value = cell.value {
                text.append(contentsOf: bytes[value])
            } else {
                text.append(contentsOf: "null".utf8)
            }
        }
        if text.isEmpty { text.append(UInt8(ascii: "{")) }
        text.append(UInt8(ascii: "}"))
        return text
    }

    private func labelsText(_ bytes: [UInt8]) -> [UInt8]? {
        var text: [UInt8] = []
        for cell in cells {
            guard let label = cell.label, saysMore(bytes[label], than: cell.value.map { bytes[$0] }) else { continue }
            text.append(text.isEmpty ? UInt8(ascii: "{") : UInt8(ascii: ","))
            text.append(contentsOf: bytes[cell.field])
            text.append(UInt8(ascii: ":"))
            text.append(contentsOf: bytes[label])
        }
        guard !text.isEmpty else { return nil }
        text.append(UInt8(ascii: "}"))
        return text
    }

    /// False for a label that is the value's `val` again, as texts, dropdowns and attachments have
    /// it (the value starts with `{"val":` and then the very same bytes), and for null beside null.
    private func saysMore(_ label: ArraySlice<UInt8>, than value: ArraySlice<UInt8>?) -> Bool {
        guard let value, !value.elementsEqual("null".utf8) else { return !label.elementsEqual("null".utf8) }
        let start = "{\"val\":".utf8
        guard value.starts(with: start) else { return true }
        let rest = value.dropFirst(start.count)
        guard rest.starts(with: label), let next = rest.dropFirst(label.count).first else { return true }
        return next != UInt8(ascii: "}") && next != UInt8(ascii: ",")
    }
}
