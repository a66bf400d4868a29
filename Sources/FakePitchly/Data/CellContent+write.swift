/// `value` and `stringValue` as Pitchly's page on field types shows them. What that page leaves out
/// is assumed: an empty cell is null in both; a date's `val` is `2024-03-15` and its text
/// `03/15/2024`; times are RFC 3339 in UTC; lists have list texts; a formula or rollup is a number,
/// a lookup a list.
extension CellContent {
    /// - Parameter isCanonical: members sorted by name, else in the order of the documents.
    func writeValue(_ field: FakeField, isCanonical: Bool = false, to writer: inout JSONWriter) {
        if case .empty = self { return writer.raw("null") }
        writer.byte(0x7B)
        if isCanonical { writeExtras(to: &writer, before: true) }
        writer.raw("\"val\":")
        writeVal(field, to: &writer)
        if !isCanonical { writeExtras(to: &writer, before: false) }
        writer.byte(0x7D)
    }

    /// The members beside `val`; the documents write them after it, sorting puts them before.
    private func writeExtras(to writer: inout JSONWriter, before: Bool) {
        switch self {
        case .money, .file: break
        default: return
        }
        if !before { writer.byte(0x2C) }
        switch self {
        case .money(_, _, let currency): writer.raw(Vocabulary.currencies[currency].member)
        case .file(let hash):
            let type = Vocabulary.files[Int(hash & 3)].member
            if !before {
                writer.raw(type)
                writer.byte(0x2C)
            }
            writer.raw("\"size\":")
            writer.integer(Int(hash >> 40))
            if before {
                writer.byte(0x2C)
                writer.raw(type)
            }
        default: break
        }
        if before { writer.byte(0x2C) }
    }

    private func writeVal(_ field: FakeField, to writer: inout JSONWriter) {
        switch self {
        case .empty: break
        case .number(let units, let decimals): Self.writeNumber(units, decimals, to: &writer)
        case .flag(let flag): flag ? writer.raw("true") : writer.raw("false")
        case .money(let units, let decimals, _): Self.writeNumber(units, decimals, to: &writer)
        case .references(let hash, let count, let isList):
            if isList { writer.byte(0x5B) }
            for place in 0..<count {
                if place > 0 { writer.byte(0x2C) }
                writer.byte(0x22)
                field.fixed.target.writeID(of: Self.referenced(hash, place, field), to: &writer)
                writer.byte(0x22)
            }
            if isList { writer.byte(0x5D) }
        case .choice where field.type == .lookup:
            writer.byte(0x5B)
            writeText(field, to: &writer)
            writer.byte(0x5D)
        case .day(let day):
            writer.byte(0x22)
            CivilTime.writeISO(day: day, to: &writer)
            writer.byte(0x22)
        case .instant(let milliseconds):
            writer.byte(0x22)
            CivilTime.writeISO(milliseconds: milliseconds, to: &writer)
            writer.byte(0x22)
        case .name, .paragraph, .choice, .choices, .file: writeText(field, to: &writer)
        }
    }

    func writeStringValue(_ field: FakeField, to writer: inout JSONWriter) {
        switch self {
        case .empty: writer.raw("null")
        case .references(let hash, let count, let isList):
            if isList { writer.byte(0x5B) }
            for place in 0..<count {
                if place > 0 { writer.byte(0x2C) }
                let number = Self.referenced(hash, place, field)
                var primary = SeededHash(field.fixed.target.primarySalt, UInt64(number), SeededHash.salt(of: .text))
                Self.writeName(primary.next(), number: number, to: &writer)
            }
            if isList { writer.byte(0x5D) }
        case .choice where field.type == .lookup:
            writer.byte(0x5B)
            writeText(field, to: &writer)
            writer.byte(0x5D)
        default: writeText(field, to: &writer)
        }
    }

    private static func referenced(_ hash: UInt64, _ place: Int, _ field: FakeField) -> Int {
        var hash = SeededHash(hash, UInt64(place))
        return hash.below(field.fixed.target.count)
    }

    /// The text of a single cell with its quotes; of several choices, the list of them.
    private func writeText(_ field: FakeField, to writer: inout JSONWriter) {
        if case .choices(let mask) = self { return Self.writeChoices(mask, to: &writer) }
        if case .name(let hash, let number) = self { return Self.writeName(hash, number: number, to: &writer) }
        writer.byte(0x22)
        switch self {
        case .empty, .name, .choices, .references: break
        case .paragraph(let hash): Self.writeParagraph(hash, to: &writer)
        case .number(let units, let decimals): Self.writeGrouped(units, decimals, fixed: false, to: &writer)
        case .flag(let flag): flag ? writer.raw("Yes") : writer.raw("No")
        case .choice(let place): writer.raw(Vocabulary.cities[place])
        case .day(let day): CivilTime.writeAmerican(day: day, to: &writer)
        case .money(let units, let decimals, let currency):
            writer.raw(Vocabulary.currencies[currency].sign)
            Self.writeGrouped(units, decimals, fixed: true, to: &writer)
        case .file(let hash):
            writer.raw("https://files.pitchly.example/")
            writer.digits(UInt(hash >> 20))
            writer.raw(Vocabulary.files[Int(hash & 3)].suffix)
        case .instant(let milliseconds): CivilTime.writeAmerican(milliseconds: milliseconds, to: &writer)
        }
        writer.byte(0x22)
    }

    private static func writeName(_ hash: UInt64, number: Int, to writer: inout JSONWriter) {
        writer.byte(0x22)
        writer.raw(Vocabulary.givenNames[Int(hash & 15)])
        writer.byte(0x20)
        writer.raw(Vocabulary.familyNames[Int(hash >> 4 & 15)])
        writer.byte(0x20)
        writer.integer(number + 1)
        writer.byte(0x22)
    }

    private static func writeChoices(_ mask: Int, to writer: inout JSONWriter) {
        writer.byte(0x5B)
        var isFirst = true
        for (place, word) in Vocabulary.services.enumerated() where mask >> place & 1 == 1 {
            if !isFirst { writer.byte(0x2C) }
            isFirst = false
            writer.byte(0x22)
            writer.raw(word)
            writer.byte(0x22)
        }
        writer.byte(0x5D)
    }

    /// One in 512 is about 4 kB long.
    private static func writeParagraph(_ hash: UInt64, to writer: inout JSONWriter) {
        var hash = SeededHash(hash)
        let count = hash.oneIn(512) ? 120 : 1 + hash.below(3)
        for place in 0..<count {
            if place > 0 { hash.oneIn(3) ? writer.raw("\\n") : writer.byte(0x20) }
            writer.raw(Vocabulary.sentences[hash.below(Vocabulary.sentences.count)])
        }
    }

    /// A JSON number without trailing zeros.
    static func writeNumber(_ units: Int, _ decimals: Int, to writer: inout JSONWriter) {
        let (whole, fraction, digits) = split(units, decimals)
        if units < 0 { writer.byte(UInt8(ascii: "-")) }
        writer.digits(UInt(whole))
        guard digits > 0 else { return }
        writer.byte(UInt8(ascii: "."))
        writer.digits(fraction, width: digits)
    }

    /// `2,300.5`; `fixed` keeps two decimals where there are any, as money has.
    static func writeGrouped(_ units: Int, _ decimals: Int, fixed: Bool, to writer: inout JSONWriter) {
        var (whole, fraction, digits) = split(units, decimals)
        if units < 0 { writer.byte(UInt8(ascii: "-")) }
        var groups: [Int] = []
        while whole >= 1_000 {
            groups.append(whole % 1_000)
            whole /= 1_000
        }
        writer.digits(UInt(whole))
        for group in groups.reversed() {
            writer.byte(UInt8(ascii: ","))
            writer.digits(group, width: 3)
        }
        guard digits > 0 else { return }
        if fixed, digits == 1 { (fraction, digits) = (fraction * 10, 2) }
        writer.byte(UInt8(ascii: "."))
        writer.digits(fraction, width: digits)
    }

    /// The magnitude, with the zeros at the end of the fraction gone.
    private static func split(_ units: Int, _ decimals: Int) -> (whole: Int, fraction: Int, digits: Int) {
        var divisor = 1
        for _ in 0..<decimals { divisor *= 10 }
        let magnitude = abs(units)
        var fraction = magnitude % divisor
        var digits = decimals
        while digits > 0, fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        return (magnitude / divisor, fraction, digits)
    }
}
