/// Writes records of one table under one selection. Everything that is the same in every record is
/// made once, so that a page costs little more than its bytes.
struct RecordTemplate {
    /// Where the two dialects differ.
    struct Dialect: Sendable {
        let recordType: String
        let cellType: String
        let idMember: String
        let cellsMember: String
        /// The id with its prefix.
        let writesPrefixes: Bool
        /// A cell without content is left out instead of being null.
        let omitsEmptyCells: Bool

        static let platform = Dialect(
            recordType: "Record",
            cellType: "Cell",
            idMember: "id",
            cellsMember: "fields",
            writesPrefixes: true,
            omitsEmptyCells: false
        )
        static let v2 = Dialect(
            recordType: "Row",
            cellType: "Col",
            idMember: "_id",
            cellsMember: "cols",
            writesPrefixes: false,
            omitsEmptyCells: true
        )
    }

    private enum Member {
        case id
        case cells([Cell])
        case typename
    }

    /// `pieces[i]` stands before `values[i]`, the last piece behind all.
    private final class Cell {
        let field: FakeField
        let pieces: [[UInt8]]
        /// True for `value`, false for `stringValue`.
        let values: [Bool]

        init(field: FakeField, pieces: [[UInt8]], values: [Bool]) {
            self.field = field
            self.pieces = pieces
            self.values = values
        }
    }

    private let members: [(key: [UInt8], member: Member)]
    private let dialect: Dialect
    private let typename: [UInt8]

    init(_ selection: [PlannedField], fields: [FakeField], _ dialect: Dialect) {
        self.dialect = dialect
        typename = Array("\"\(dialect.recordType)\"".utf8)
        members = selection.enumerated().map { place, planned in
            let key = [place == 0 ? 0x7B : 0x2C] + planned.keyBytes
            switch planned.name {
            case dialect.idMember: return (key, .id)
            case dialect.cellsMember:
                return (key, .cells(fields.map { Self.cell(planned.selection, $0, dialect) }))
            default: return (key, .typename)
            }
        }
    }

    private static func cell(_ selection: [PlannedField], _ field: FakeField, _ dialect: Dialect) -> Cell {
        var pieces: [[UInt8]] = []
        var values: [Bool] = []
        var piece: [UInt8] = []
        for (place, planned) in selection.enumerated() {
            piece += [place == 0 ? 0x7B : 0x2C] + planned.keyBytes
            switch planned.name {
            case "fieldId": piece += dialect.writesPrefixes ? field.compositeID : field.v2ID
            case "value", "stringValue":
                pieces.append(piece)
                values.append(planned.name == "value")
                piece = []
            default: piece += Array("\"\(dialect.cellType)\"".utf8)
            }
        }
        pieces.append(piece + [0x7D])
        return Cell(field: field, pieces: pieces, values: values)
    }

    func write(_ number: Int, of table: TableState, to writer: inout JSONWriter) {
        for (key, member) in members {
            writer.raw(key)
            switch member {
            case .id: writeID(number, of: table, to: &writer)
            case .typename: writer.raw(typename)
            case .cells(let cells): write(cells, number, of: table, to: &writer)
            }
        }
        writer.byte(0x7D)
    }

    private func writeID(_ number: Int, of table: TableState, to writer: inout JSONWriter) {
        writer.byte(0x22)
        if dialect.writesPrefixes { writer.raw(table.records.prefix) }
        writer.suffix(of: number, table.records)
        writer.byte(0x22)
    }

    private func write(_ cells: [Cell], _ number: Int, of table: TableState, to writer: inout JSONWriter) {
        writer.byte(0x5B)
        var isFirst = true
        for cell in cells {
            let content = table.cell(cell.field, number)
            if dialect.omitsEmptyCells, content.isEmpty { continue }
            if !isFirst { writer.byte(0x2C) }
            isFirst = false
            for place in cell.values.indices {
                writer.raw(cell.pieces[place])
                if cell.values[place] {
                    content.writeValue(cell.field, to: &writer)
                } else {
                    content.writeStringValue(cell.field, to: &writer)
                }
            }
            writer.raw(cell.pieces[cell.values.count])
        }
        writer.byte(0x5D)
    }
}
