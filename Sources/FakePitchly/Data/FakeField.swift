/// A field of a table. Its type decides what its seeded cells look like.
package struct FakeField: Sendable, Equatable {
    /// One reference, because every cell that is written copies its field.
    let fixed: Fixed
    package internal(set) var name: String
    package internal(set) var type: FieldType

    /// What no edit changes.
    final class Fixed: Sendable {
        let id: String
        /// `"wks…|fld…"` with its quotes: how cells name their field.
        let compositeID: [UInt8]
        /// The 17 characters with quotes: how v2 names the field.
        let v2ID: [UInt8]
        let salt: UInt64
        /// What reference cells point to.
        let target: ReferenceTarget

        init(id: String, workspace: String, salt: UInt64, target: ReferenceTarget) {
            self.id = id
            self.salt = salt
            self.target = target
            compositeID = Array("\"\(workspace)|\(id)\"".utf8)
            v2ID = Array("\"\(id.dropFirst(3))\"".utf8)
        }
    }

    /// `fld` and 17 characters.
    package var id: String { fixed.id }
    var compositeID: [UInt8] { fixed.compositeID }
    var v2ID: [UInt8] { fixed.v2ID }

    /// `wks…|fld…`
    package var compositeName: String { String(decoding: compositeID.dropFirst().dropLast(), as: UTF8.self) }

    /// A client may name a field by its id, the composite one, or the part v2 uses.
    func isNamed(_ text: String) -> Bool {
        text == id || text == compositeName || text == id.dropFirst(3)
    }

    package static func == (left: FakeField, right: FakeField) -> Bool {
        left.id == right.id && left.name == right.name && left.type == right.type
    }
}

/// The seeded records that reference cells of one field point to.
final class ReferenceTarget: Sendable {
    /// `wks…|`, the part before the record's id.
    let prefix: [UInt8]
    let records: IdentifierCodec
    let count: Int
    /// Of the table's first field, whose text a reference shows.
    let primarySalt: UInt64

    init(prefix: [UInt8], records: IdentifierCodec, count: Int, primarySalt: UInt64) {
        self.prefix = prefix
        self.records = records
        self.count = count
        self.primarySalt = primarySalt
    }

    func writeID(of number: Int, to writer: inout JSONWriter) {
        writer.raw(prefix)
        writer.raw(records.prefix)
        writer.suffix(of: number, records)
    }
}
