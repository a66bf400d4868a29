import LeaseholdCore
import Testing

@testable import Pitchly

@Suite("Reading a list by skip and limit")
struct RowPlaceTests {
    @Test("gives every row of a list that stays as it is, whatever the page size", arguments: [true, false])
    func quiet(counts: Bool) {
        for count in 0...12 {
            for limit in 2...5 {
                var list = ShiftingList(rows: (0..<count).map(String.init), counts: counts)
                #expect(list.readAll(limit: limit) { _ in } == list.rows, "\(count) rows by \(limit)")
            }
        }
    }

    @Test("asks for no page behind the counted end")
    func requests() {
        var list = ShiftingList(rows: (0..<10).map(String.init), counts: true)
        _ = list.readAll(limit: 4) { _ in }
        // 4 rows, then 3 new ones with each page.
        #expect(list.requests == 3)
    }

    @Test("leaves out no row that is there all the time, while others come and go before it")
    func shifting() {
        for seed in 1...400 as ClosedRange<UInt64> {
            let random = RandomSource(seed: seed)
            let limit = 3 + Int(random.next() % 5)
            var list = ShiftingList(rows: (0..<40).map(String.init), counts: seed % 2 == 0)
            var wait = 0
            let read = list.readAll(limit: limit) { list in
                // Going back takes two requests: a list that never rests is another test.
                wait -= 1
                guard wait < 0 else { return }
                wait = 2
                list.editAtRandom(random, atMost: limit - 2)
            }
            let missing = list.untouched.subtracting(read)
            #expect(missing.isEmpty, "seed \(seed): left out \(missing.sorted())")
        }
    }

    @Test("comes to an end though the list shifts before every page")
    func restless() {
        let random = RandomSource(seed: 1)
        var list = ShiftingList(rows: (0..<200).map(String.init), counts: false)
        _ = list.readAll(limit: 10) { $0.editAtRandom(random, atMost: 8) }
        #expect(list.requests < 200)
    }

    @Test("goes on from its text, and from the beginning for a text of others", arguments: ["", "x", "-1.0:a", "3:a"])
    func cursors(strange: String) {
        let place = RowPlace(cursor: "40.2:row:1")
        #expect(place.skip == 40 && place.steps == 2 && place.anchor == "row:1")
        #expect(RowPlace(cursor: place.cursor) == place)
        #expect(RowPlace(cursor: strange) == RowPlace())
    }
}

/// A list as the API shows it, and a reader of it.
private struct ShiftingList {
    private(set) var rows: [String]
    let counts: Bool
    private(set) var untouched: Set<String>
    private(set) var requests = 0
    private var created = 0

    init(rows: [String], counts: Bool) {
        self.rows = rows
        self.counts = counts
        untouched = Set(rows)
    }

    mutating func readAll(limit: Int, _ betweenPages: (inout ShiftingList) -> Void) -> [String] {
        var read: [String] = []
        var place: RowPlace? = RowPlace()
        while let here = place, requests < 10_000 {
            requests += 1
            let found = rows.dropFirst(here.skip).prefix(limit)
            let page = here.page(
                RecordPage(
                    records: found.map { PitchlyRecord(id: $0, fields: [], labels: nil, contentHash: []) },
                    nextCursor: nil,
                    totalCount: counts ? rows.count : nil,
                    repairs: 0
                ),
                limit: limit
            )
            read += page.records.map(\.id)
            place = page.nextCursor.map(RowPlace.init(cursor:))
            if place != nil { betweenPages(&self) }
        }
        return read
    }

    /// Deletes and inserts up to so many rows, anywhere.
    mutating func editAtRandom(_ random: RandomSource, atMost bound: Int) {
        for _ in 0..<Int(random.next() % UInt64(bound + 1)) {
            let place = Int(random.next() % UInt64(rows.count))
            if random.next() % 2 == 0, rows.count > 5 {
                untouched.remove(rows.remove(at: place))
            } else {
                created += 1
                rows.insert("new \(created)", at: place)
            }
        }
    }
}
