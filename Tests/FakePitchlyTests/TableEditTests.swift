import Testing

@testable import FakePitchly

@Suite struct TableEditTests {
    private func makeTable(records: Int = 50) throws -> FakeTable {
        var shape = DataShape()
        shape.organizations = 1
        shape.largeOrganizations = 0
        shape.recordsPerTable = records...records
        let world = FakeWorld(shape: shape, seed: 1)
        return try #require(world.organization(world.allOrganizationIDs[0])).tables[0]
    }

    private func order(_ table: FakeTable) -> [Int] { table.snapshot.page(skip: 0, limit: .max).numbers }

    private func id(_ number: Int, _ table: FakeTable) -> String { table.snapshot.records.id(of: number) }

    /// The same edits on a plain list of numbers, which the order keys must agree with.
    @Test(arguments: 1...20 as ClosedRange<UInt64>)
    func anyEditsKeepTheOrderOfAPlainList(seed: UInt64) throws {
        let table = try makeTable(records: 12)
        var model = Array(0..<12)
        var next = 12
        var hash = SeededHash(seed)
        for _ in 0..<200 {
            let pick = { (hash: inout SeededHash) in model[hash.below(model.count)] }
            switch hash.below(4) {
            case 0 where model.count > 3:
                let number = pick(&hash)
                _ = try table.apply([.delete(record: id(number, table))], now: 1)
                model.removeAll { $0 == number }
            case 1:
                _ = try table.apply([.insert(cells: JSONObject())], now: 1)
                model.append(next)
                next += 1
            default:
                let (number, before) = (pick(&hash), pick(&hash))
                guard number != before else { continue }
                _ = try table.apply([.move(record: id(number, table), before: id(before, table))], now: 1)
                model.removeAll { $0 == number }
                // Where the gap between two order keys is used up, the record goes behind all others.
                if order(table).last == number {
                    model.append(number)
                } else {
                    model.insert(number, at: try #require(model.firstIndex(of: before)))
                }
            }
            #expect(order(table) == model)
            #expect(table.recordCount == model.count)
            let half = model.count / 2
            #expect(table.snapshot.page(skip: half, limit: 3).numbers == Array(model[half...].prefix(3)))
        }
    }

    @Test func aRefusedEditLeavesNothingBehind() throws {
        let table = try makeTable()
        let before = CanonicalRecords(state: table.snapshot).digest()
        #expect(throws: EditRefused.self) {
            try table.apply([.delete(record: id(1, table)), .delete(record: "rec22222222222222222")], now: 1)
        }
        #expect(throws: EditRefused.self) { try table.apply([.renameField("fld1", name: "x")], now: 1) }
        #expect(CanonicalRecords(state: table.snapshot).digest() == before)
    }

    @Test func fieldsComeGoAndChange() throws {
        let table = try makeTable()
        let first = table.fields[0]
        let added = try table.apply([.addField(name: "New", type: .number)], now: 1)[0]
        #expect(table.fields.last?.id == added)
        _ = try table.apply(
            [
                .renameField(first.id, name: "Renamed"), .retypeField(first.id, type: .boolean),
                .moveField(added, to: 0), .removeField(table.fields[3].id), .renameTable("Other"),
            ],
            now: 1
        )
        #expect(table.fields.count == FieldType.allCases.count)
        #expect(table.fields[0].id == added)
        #expect(table.fields[1].name == "Renamed" && table.fields[1].type == .boolean)
        #expect(table.name == "Other")
        var writer = JSONWriter()
        CanonicalRecords(state: table.snapshot).writeLines([0, 1, 2, 3, 4, 5, 6, 7], to: &writer)
        let values = try writer.text.split(separator: "\n").map {
            try JSONParser.parse(String($0))["fields"][first.compositeName]["value"]
        }
        #expect(values.contains { $0["val"].boolValue != nil })
        #expect(values.allSatisfy { $0.isNull || $0["val"].boolValue != nil })
    }

    @Test func theLastFieldStays() throws {
        let table = try makeTable()
        for field in table.fields.dropLast() { _ = try table.apply([.removeField(field.id)], now: 1) }
        #expect(throws: EditRefused.self) { try table.apply([.removeField(table.fields[0].id)], now: 1) }
    }

    @Test func madeUpEditsAreTheSameForTheSameSeed() throws {
        let (first, second, third) = (try makeTable(), try makeTable(), try makeTable())
        let edits = first.applyRandom(count: 300, seed: 5, now: 7)
        #expect(edits.count == 300)
        #expect(second.applyRandom(count: 300, seed: 5, now: 7) == edits)
        #expect(third.applyRandom(count: 300, seed: 6, now: 7) != edits)
        let digest = CanonicalRecords(state: first.snapshot).digest()
        #expect(CanonicalRecords(state: second.snapshot).digest() == digest)
        let kinds = Set(edits.map { $0.json["op"].stringValue })
        #expect(kinds.isSuperset(of: ["insert", "update", "delete", "move", "addField", "retypeField", "renameField"]))
        let fourth = try makeTable()
        _ = try fourth.apply(try edits.map { try TableEdit(json: $0.json) }, now: 7)
        #expect(CanonicalRecords(state: fourth.snapshot).digest() == digest, "replayed from their JSON")
    }

    @Test func theDigestDependsOnRecordsAndNotOnTheirOrder() throws {
        let table = try makeTable()
        let before = CanonicalRecords(state: table.snapshot).digest()
        _ = try table.apply([.move(record: id(4, table), before: id(0, table))], now: 1)
        #expect(CanonicalRecords(state: table.snapshot).digest() == before)
        _ = try table.apply([.delete(record: id(4, table))], now: 1)
        #expect(CanonicalRecords(state: table.snapshot).digest() != before)
    }
}
