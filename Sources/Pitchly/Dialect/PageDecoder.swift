import Foundation

/// Reads a page of records out of an answer, by a layout; the one place that knows the shape.
///
/// It slices bytes instead of building values: a page of 1 000 records of 12 fields takes a few
/// milliseconds, and a cell of a kind nobody knows is kept as it came.
struct PageDecoder: Sendable {
    private let layout: PageLayout
    private let places: PageLayout.Place
    private let names: Names

    private struct Names: Sendable {
        let recordID: [UInt8]
        let cells: [UInt8]
        let cellField: [UInt8]
        let cellValue: [UInt8]
        let cellLabel: [UInt8]?
        let record: [[UInt8]]
    }

    init(_ layout: PageLayout) {
        self.layout = layout
        places = layout.places()
        names = Names(
            recordID: Array(layout.recordID.utf8),
            cells: Array(layout.cells.utf8),
            cellField: Array(layout.cellField.utf8),
            cellValue: Array(layout.cellValue.utf8),
            cellLabel: layout.cellLabel.map { Array($0.utf8) },
            record: layout.record.map { Array($0.utf8) }
        )
    }

    /// Consumes the `data` member of an answer.
    func page(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) -> RecordPage {
        var found = Found()
        try walk(&scanner, places, &found)
        guard let records = found.records else {
            throw JSONScanner.Failure(expected: "a list at \(layout.list.joined(separator: "."))", offset: 0)
        }
        if layout.hasNextPage != nil, found.hasNextPage == nil {
            throw JSONScanner.Failure(expected: "a boolean that tells whether more pages follow", offset: 0)
        }
        if found.hasNextPage == true, found.endCursor == nil {
            throw JSONScanner.Failure(expected: "a cursor, because more pages follow", offset: 0)
        }
        return RecordPage(
            records: records,
            nextCursor: found.hasNextPage == true ? found.endCursor : nil,
            totalCount: found.totalCount,
            repairs: scanner.repairs
        )
    }

    private struct Found {
        var records: [PitchlyRecord]?
        var hasNextPage: Bool?
        var endCursor: String?
        var totalCount: Int?
    }

    private func walk(
        _ scanner: inout JSONScanner,
        _ place: PageLayout.Place,
        _ found: inout Found
    ) throws(JSONScanner.Failure) {
        if let meaning = place.meaning { return try read(&scanner, meaning, &found) }
        if try scanner.takeNull() { return }
        try scanner.object { scanner, name throws(JSONScanner.Failure) in
            if let next = place.member(scanner.bytes[name]) {
                try walk(&scanner, next, &found)
            } else {
                try scanner.value()
            }
        }
    }

    private func read(
        _ scanner: inout JSONScanner,
        _ meaning: PageLayout.Place.Meaning,
        _ found: inout Found
    ) throws(JSONScanner.Failure) {
        switch meaning {
        case .list:
            if try scanner.takeNull() { return }
            found.records = try records(&scanner)
        case .hasNextPage:
            let text = scanner.bytes[try scanner.value()]
            found.hasNextPage = text.elementsEqual("true".utf8) ? true : text.elementsEqual("false".utf8) ? false : nil
        case .endCursor:
            found.endCursor = try scanner.scalarText()
        case .totalCount:
            found.totalCount = Int(String(decoding: scanner.bytes[try scanner.value()], as: UTF8.self))
        }
    }

    private func records(_ scanner: inout JSONScanner) throws(JSONScanner.Failure) -> [PitchlyRecord] {
        var records: [PitchlyRecord] = []
        var assembly = RecordAssembly()
        try scanner.array { scanner throws(JSONScanner.Failure) in
            try descend(&scanner, names.record[...], &assembly)
            records.append(try assembly.finish(scanner.bytes, at: scanner.position))
        }
        return records
    }

    /// Down the path from an element of the list to the record in it.
    private func descend(
        _ scanner: inout JSONScanner,
        _ path: ArraySlice<[UInt8]>,
        _ assembly: inout RecordAssembly
    ) throws(JSONScanner.Failure) {
        guard let name = path.first else { return try record(&scanner, &assembly) }
        try scanner.object { scanner, member throws(JSONScanner.Failure) in
            if scanner.bytes[member].elementsEqual(name) {
                try descend(&scanner, path.dropFirst(), &assembly)
            } else {
                try scanner.value()
            }
        }
    }

    private func record(
        _ scanner: inout JSONScanner,
        _ assembly: inout RecordAssembly
    ) throws(JSONScanner.Failure) {
        try scanner.object { scanner, member throws(JSONScanner.Failure) in
            let name = scanner.bytes[member]
            if name.elementsEqual(names.cells) {
                if try scanner.takeNull() { return }
                try scanner.array { scanner throws(JSONScanner.Failure) in try cell(&scanner, &assembly) }
            } else if name.elementsEqual(names.recordID) {
                assembly.id = try scanner.scalarText()
            } else {
                try scanner.value()
            }
        }
    }

    private func cell(
        _ scanner: inout JSONScanner,
        _ assembly: inout RecordAssembly
    ) throws(JSONScanner.Failure) {
        var field: Range<Int>?
        var value: Range<Int>?
        var label: Range<Int>?
        try scanner.object { scanner, member throws(JSONScanner.Failure) in
            let name = scanner.bytes[member]
            if name.elementsEqual(names.cellField) {
                field = try scanner.string()
            } else if name.elementsEqual(names.cellValue) {
                value = try scanner.value()
            } else if let wanted = names.cellLabel, name.elementsEqual(wanted) {
                label = try scanner.value()
            } else {
                try scanner.value()
            }
        }
        guard let field else {
            throw JSONScanner.Failure(expected: "\(layout.cellField) in a cell", offset: scanner.position)
        }
        assembly.add(field: field, value: value, label: label)
    }
}

extension JSONScanner {
    /// Consumes a string or number and returns its text; nil for null. Ids and cursors are opaque,
    /// and some APIs send small numbers for them.
    mutating func scalarText() throws(Failure) -> String? {
        let first = try peek()
        guard first == UInt8(ascii: "\"") else {
            let range = try value()
            if first == UInt8(ascii: "n") { return nil }
            guard first != UInt8(ascii: "{"), first != UInt8(ascii: "[") else {
                throw Failure(expected: "a text or a number", offset: range.lowerBound)
            }
            return String(decoding: bytes[range], as: UTF8.self)
        }
        let range = try string()
        let inner = bytes[range.lowerBound + 1..<range.upperBound - 1]
        guard inner.contains(UInt8(ascii: "\\")) else { return String(decoding: inner, as: UTF8.self) }
        guard let text = try? JSONDecoder().decode(String.self, from: Data(bytes[range])) else {
            throw Failure(expected: "a text", offset: range.lowerBound)
        }
        return text
    }
}
