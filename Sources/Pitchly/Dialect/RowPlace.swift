/// A place in a list that is read by `skip` and `limit`, and the way on from there.
///
/// Rows that are deleted, inserted or moved while the list is read shift all later ones, so that the
/// next page would leave some out, and what is left out would count as deleted. Therefore each page
/// begins with the last row of the page before. Where that row is not in the page, reading goes one
/// page back and comes forward again; rows that are read twice do no harm.
struct RowPlace: Equatable {
    /// A list that shifts all the time would otherwise be read for ever.
    static let stepLimit = 4

    private(set) var skip = 0
    /// The id of a row that the page must have; nil takes the page as it is.
    private(set) var anchor: String?
    /// How often in a row reading went back.
    private(set) var steps = 0

    init() {}

    /// - Parameter cursor: one of ``cursor``; another text is the beginning.
    init(cursor: String) {
        let parts = cursor.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        let numbers = parts[0].split(separator: ".").compactMap { Int($0) }
        guard parts.count == 2, numbers.count == 2, numbers[0] >= 0 else { return }
        skip = numbers[0]
        steps = numbers[1]
        anchor = parts[1].isEmpty ? nil : String(parts[1])
    }

    private init(skip: Int, anchor: String?, steps: Int) {
        self.skip = skip
        self.anchor = anchor
        self.steps = steps
    }

    /// As a checkpoint keeps it: `40.0:<id of the row before>`.
    var cursor: String { "\(skip).\(steps):\(anchor ?? "")" }

    /// The answer for this place as a page: without the rows that the page before had, and with a way
    /// on.
    func page(_ answer: RecordPage, limit: Int) -> RecordPage {
        guard let anchor else { return answer.page(answer.records[...], next: next(answer, steps: steps)) }
        guard let index = answer.records.firstIndex(where: { $0.id == anchor }) else {
            let isLost = skip == 0 || steps >= Self.stepLimit
            let back = RowPlace(skip: max(0, skip - limit + 1), anchor: nil, steps: steps + 1)
            return answer.page(answer.records[...], next: isLost ? next(answer, steps: 0) : back)
        }
        let rows = answer.records[(index + 1)...]
        return answer.page(rows, next: rows.isEmpty ? nil : next(answer, steps: 0))
    }

    /// Nil at the end: no row came, or the API counts no more of them.
    private func next(_ answer: RecordPage, steps: Int) -> RowPlace? {
        let end = skip + answer.records.count
        guard let last = answer.records.last, end < answer.totalCount ?? .max else { return nil }
        return RowPlace(skip: end - 1, anchor: last.id, steps: steps)
    }
}

extension RecordPage {
    fileprivate func page(_ rows: ArraySlice<PitchlyRecord>, next: RowPlace?) -> RecordPage {
        RecordPage(records: Array(rows), nextCursor: next?.cursor, totalCount: totalCount, repairs: repairs)
    }
}
