import Testing

@testable import FakePitchly

@Suite struct SeededDataTests {
    private func table(
        seed: UInt64 = 1,
        records: Int = 400,
        types: [FieldType] = FieldType.allCases
    ) throws -> FakeTable {
        var shape = DataShape()
        shape.organizations = 1
        shape.largeOrganizations = 1
        shape.recordsPerLargeTable = records...records
        shape.fieldTypes = types
        let world = FakeWorld(shape: shape, seed: seed)
        return try #require(world.organization(world.allOrganizationIDs[0])).tables[0]
    }

    private func lines(_ table: FakeTable) -> [String] {
        let state = table.snapshot
        var writer = JSONWriter()
        CanonicalRecords(state: state).writeLines(state.page(skip: 0, limit: .max).numbers, to: &writer)
        return writer.text.split(separator: "\n").map(String.init)
    }

    @Test func theSameSeedGivesTheSameDataAndAnotherSeedOtherData() throws {
        let (first, second, third) = (try table(), try table(), try table(seed: 2))
        #expect(lines(first) == lines(second))
        #expect(first.id == second.id && first.fields == second.fields)
        #expect(lines(first) != lines(third))
        #expect(first.id != third.id)
        #expect(CanonicalRecords(state: first.snapshot).digest() == CanonicalRecords(state: second.snapshot).digest())
    }

    @Test func everyTypeIsThereWithTheShapeOfItsDocument() throws {
        let table = try table()
        let records = try lines(table).map { try JSONParser.parse($0) }
        #expect(Set(table.fields.map(\.type)) == Set(FieldType.allCases))
        for field in table.fields {
            let cells = records.map { $0["fields"][field.compositeName] }
            let full = cells.filter { !$0["value"].isNull }
            #expect(full.count > 250, "\(field.type)")
            #expect((full.count < cells.count) == (field.type.emptyOnceIn > 0), "\(field.type)")
            for cell in cells where cell["value"].isNull { #expect(cell["stringValue"].isNull) }
            for cell in full {
                #expect(fits(cell["value"], cell["stringValue"], field.type), "\(field.type): \(cell.text)")
            }
            #expect(Set(full.map(\.text)).count > 1, "\(field.type) has one value only")
        }
    }

    private func fits(_ value: JSONValue, _ text: JSONValue, _ type: FieldType) -> Bool {
        let val = value["val"]
        switch type {
        case .text, .multilineText, .dropdown: return val.stringValue != nil && val == text
        case .number, .formula, .rollup: return val.doubleValue != nil && text.stringValue?.isEmpty == false
        case .boolean: return text == (val == true ? "Yes" : "No")
        case .dropdownMultiple, .lookup: return val.arrayValue?.isEmpty == false && val == text
        case .date: return val.stringValue.flatMap { CivilTime.day(ofISO: $0) } != nil && text.stringValue?.count == 10
        case .currency: return val.doubleValue != nil && value["currency"].stringValue?.count == 3
        case .attachment:
            return val == text && value["type"].stringValue?.contains("/") == true && value["size"].intValue != nil
        case .reference: return val.stringValue?.wholeMatch(of: /wks.{17}\|rec.{17}/) != nil && text.stringValue != nil
        case .referenceMultiple: return val.arrayValue?.count == text.arrayValue?.count
        case .createdAt, .updatedAt: return val.stringValue.flatMap(CivilTime.milliseconds) != nil
        }
    }

    @Test func theTextsHoldWhatBreaksCarelessPrograms() throws {
        let all = lines(try table(records: 2_000)).joined()
        for needle in ["\\\"", "\\\\", "\\n", "👩‍👩‍👧‍👦", "𝒜", "עברית", "o\u{308}", "\u{200B}"] {
            #expect(all.contains(needle), "\(needle)")
        }
        #expect(lines(try table(records: 2_000)).contains { $0.utf8.count > 4_000 }, "no long text")
    }

    @Test func idsAreUniqueAndFoundAgain() throws {
        let codec = IdentifierCodec(prefix: "rec", salt: 7)
        var seen: Set<String> = []
        for number in [0, 1, 2, 999_999, 1 << 40] + Array(1_000..<3_000) {
            let id = codec.id(of: number)
            #expect(id.wholeMatch(of: /rec[2-9A-Za-z]{17}/) != nil)
            #expect(codec.number(of: id) == number)
            #expect(seen.insert(id).inserted)
        }
        let other = IdentifierCodec(prefix: "rec", salt: 8)
        #expect(seen.allSatisfy { other.number(of: $0) == nil })
        for wrong in ["", "rec", "rec!!!!!!!!!!!!!!!!!", "tbl22222222222222222", "reczzzzzzzzzzzzzzzzz"] {
            #expect(codec.number(of: wrong) == nil)
        }
    }

    @Test func referencesPointToRecordsThatAreThere() throws {
        var shape = DataShape()
        shape.organizations = 2
        shape.largeOrganizations = 0
        let world = FakeWorld(shape: shape, seed: 3)
        let tables = try #require(world.organization(world.allOrganizationIDs[1])).tables
        let field = try #require(tables[0].fields.first { $0.type == .reference }).compositeName
        let target = tables[1].snapshot
        let names = Dictionary(
            uniqueKeysWithValues: try lines(tables[1]).map { line in
                let record = try JSONParser.parse(line)
                let primary = record["fields"][target.fields[0].compositeName]["stringValue"]
                return (record["id"].stringValue ?? "", primary)
            }
        )
        var count = 0
        for record in try lines(tables[0]).map({ try JSONParser.parse($0) }) {
            let cell = record["fields"][field]
            guard let val = cell["value"]["val"].stringValue else { continue }
            count += 1
            #expect(names[String(val.split(separator: "|")[1])] == cell["stringValue"])
        }
        #expect(count > 10)
    }

    @Test func aMillionRecordsCostNothingUntilTheyAreRead() throws {
        let table = try table(records: 1_000_000)
        let state = table.snapshot
        #expect(state.count == 1_000_000)
        let last = state.page(after: 999_998 * TableState.keyStep, limit: 10)
        #expect(last.numbers == [999_998, 999_999])
        #expect(!last.hasNext)
        #expect(state.page(skip: 500_000, limit: 2).numbers == [500_000, 500_001])
        #expect(state.edits.isEmpty && state.placed.isEmpty && state.deleted.isEmpty)
    }
}
