/// The records of one table. Seeded records are computed from their number whenever they are read;
/// only what edits changed is kept.
///
/// Every record has a number for life and an order key that decides its place: seeded record `n`
/// stands at `(n + 1) << 20`, inserted and moved ones stand between or behind. A cursor holds an
/// order key, so it survives any edit of other records.
struct TableState: Sendable {
    let id: String
    let workspace: String
    let records: IdentifierCodec
    let seededCount: Int
    let salt: UInt64
    /// The table that reference fields of this one point to.
    let target: ReferenceTarget

    var name: String
    var fields: [FakeField]
    /// How many fields the table ever had, which numbers the next one.
    var fieldsMade: Int

    /// The number that the next inserted record gets.
    var nextNumber: Int
    var deleted: Set<Int> = []
    var edits: [Int: RecordEdit] = [:]
    /// Order keys of inserted and moved records.
    var orderKeys: [Int: Int] = [:]
    /// The same, sorted by order key.
    var placed: [Placed] = []
    /// What clients wrote, in the order in which it took effect.
    var receivedWrites: [ReceivedWrite] = []

    struct RecordEdit: Sendable {
        var revision = 0
        /// Of inserted records; the others' follows from their number.
        var created: Int?
        var updated: Int
        /// By the id of the field.
        var cells: [String: WrittenCell] = [:]
    }

    struct Placed: Sendable {
        let key: Int
        let number: Int
    }

    static let keyStep = 1 << 20

    var count: Int { nextNumber - deleted.count }

    func isLive(_ number: Int) -> Bool { number >= 0 && number < nextNumber && !deleted.contains(number) }

    func orderKey(of number: Int) -> Int { orderKeys[number] ?? (number + 1) * Self.keyStep }

    /// Behind everything.
    var nextKey: Int { max(placed.last?.key ?? 0, seededCount * Self.keyStep) + Self.keyStep }

    /// The number of a live record; a client may name it by its id or by the part v2 uses.
    func number(ofRecord id: String) -> Int? {
        let number = records.number(of: id) ?? records.number(ofSuffix: Array(id.utf8))
        return number.flatMap { isLive($0) ? $0 : nil }
    }

    /// The field that `text` names in any of the ways a client may name it.
    func field(named text: String) -> FakeField? { fields.first { $0.isNamed(text) } }

    func created(_ number: Int) -> Int {
        if let created = edits[number]?.created { return created }
        var hash = SeededHash(salt, UInt64(truncatingIfNeeded: number), 0xC0)
        return CivilTime.seedEpoch - 1 - hash.below(730) * CivilTime.millisecondsPerDay
            - hash.below(CivilTime.millisecondsPerDay)
    }

    /// Before ``CivilTime/seedEpoch`` for every record that was not edited.
    func updated(_ number: Int) -> Int {
        if let edit = edits[number] { return edit.updated }
        let created = created(number)
        var hash = SeededHash(salt, UInt64(truncatingIfNeeded: number), 0xDA)
        let days = (CivilTime.seedEpoch - 1 - created) / CivilTime.millisecondsPerDay
        return created + hash.below(days + 1) * CivilTime.millisecondsPerDay
    }

    func cell(_ field: FakeField, _ number: Int) -> Cell {
        let edit = edits.isEmpty ? nil : edits[number]
        if let written = edit?.cells[field.id] { return .written(written) }
        // Only the two kinds of time need these, and they cost two hashes each.
        let created = field.type == .createdAt ? created(number) : 0
        let updated = field.type == .updatedAt ? updated(number) : 0
        return .seeded(
            CellContent(field, number: number, revision: edit?.revision ?? 0, created: created, updated: updated)
        )
    }

    enum Cell {
        case seeded(CellContent)
        case written(WrittenCell)

        var isEmpty: Bool {
            switch self {
            case .seeded(.empty): true
            case .seeded: false
            case .written(let cell): cell.json.isNull
            }
        }

        @inline(__always) func writeValue(_ field: FakeField, to writer: inout JSONWriter) {
            switch self {
            case .seeded(let content): content.writeValue(field, to: &writer)
            case .written(let cell): writer.raw(cell.value)
            }
        }

        @inline(__always) func writeStringValue(_ field: FakeField, to writer: inout JSONWriter) {
            switch self {
            case .seeded(let content): content.writeStringValue(field, to: &writer)
            case .written(let cell): writer.raw(cell.stringValue)
            }
        }
    }
}
