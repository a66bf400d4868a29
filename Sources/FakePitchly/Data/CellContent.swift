/// What a seeded cell holds, before it is written as `value` or as `stringValue`.
enum CellContent {
    case empty
    case name(UInt64, number: Int)
    case paragraph(UInt64)
    /// `units` counted in steps of 10 to the minus `decimals`.
    case number(units: Int, decimals: Int)
    case flag(Bool)
    /// One of the cities.
    case choice(Int)
    /// One bit for each of the eight services.
    case choices(mask: Int)
    case day(Int)
    case money(units: Int, decimals: Int, currency: Int)
    case file(UInt64)
    case references(UInt64, count: Int, isList: Bool)
    case instant(milliseconds: Int)

    /// The cell of `field` in record `number`, which was edited `revision` times.
    init(_ field: FakeField, number: Int, revision: Int, created: Int, updated: Int) {
        var hash = SeededHash(field.fixed.salt, UInt64(truncatingIfNeeded: number), SeededHash.salt(of: field.type))
        if field.type.emptyOnceIn > 0, hash.oneIn(field.type.emptyOnceIn) {
            self = .empty
            return
        }
        switch field.type {
        case .text: self = .name(hash.next(), number: number)
        case .multilineText: self = .paragraph(hash.next())
        case .number: self = Self.number(&hash)
        case .boolean: self = .flag(hash.oneIn(2))
        case .dropdown, .lookup: self = .choice(hash.below(Vocabulary.cities.count))
        case .dropdownMultiple: self = .choices(mask: 1 + hash.below(254))
        case .date: self = .day(14_000 + hash.below(8_000))
        case .currency: self = Self.money(&hash)
        case .attachment: self = .file(hash.next())
        case .reference:
            self = field.fixed.target.count == 0 ? .empty : .references(hash.next(), count: 1, isList: false)
        case .referenceMultiple:
            let count = field.fixed.target.count == 0 ? 0 : 1 + hash.below(3)
            self = count == 0 ? .empty : .references(hash.next(), count: count, isList: true)
        case .createdAt: self = .instant(milliseconds: created)
        case .updatedAt: self = .instant(milliseconds: updated)
        case .formula: self = .number(units: hash.below(1_000_000) + revision, decimals: 2)
        case .rollup: self = .number(units: hash.below(40), decimals: 0)
        }
    }

    private static func number(_ hash: inout SeededHash) -> CellContent {
        switch hash.below(8) {
        case 0: .number(units: 0, decimals: 0)
        case 1: .number(units: -hash.below(100_000), decimals: 2)
        case 2: .number(units: 9_007_199_254_740_991 - hash.below(1_000), decimals: 0)
        case 3: .number(units: hash.below(10_000_000), decimals: 4)
        default: .number(units: hash.below(20_000), decimals: 0)
        }
    }

    private static func money(_ hash: inout SeededHash) -> CellContent {
        let cents = hash.below(3) == 0
        let currency = hash.oneIn(4) ? hash.below(Vocabulary.currencies.count) : 0
        return .money(units: hash.below(cents ? 9_999_999 : 99_999), decimals: cents ? 2 : 0, currency: currency)
    }
}

extension SeededHash {
    /// Tells the types apart, so that a retyped field gets new cells; as cheap as a table look-up.
    @inline(__always) static func salt(of type: FieldType) -> UInt64 {
        switch type {
        case .text: 1
        case .multilineText: 2
        case .number: 3
        case .boolean: 4
        case .dropdown: 5
        case .dropdownMultiple: 6
        case .date: 7
        case .currency: 8
        case .attachment: 9
        case .reference: 10
        case .referenceMultiple: 11
        case .lookup: 12
        case .createdAt: 13
        case .updatedAt: 14
        case .formula: 15
        case .rollup: 16
        }
    }
}
