/// Reading in order: by cursor, by offset, and only what changed.
extension TableState {
    struct Page: Sendable {
        var numbers: [Int] = []
        var hasNext = false
    }

    /// Up to `limit` live records behind the order key `after` that were changed later than
    /// `updatedAfter` (milliseconds since 1970, exclusive).
    func page(after: Int, limit: Int, updatedAfter: Int? = nil) -> Page {
        if let updatedAfter, updatedAfter >= CivilTime.seedEpoch {
            return editedPage(after: after, limit: limit, updatedAfter: updatedAfter)
        }
        var page = Page()
        page.numbers.reserveCapacity(min(limit, count))
        forEachLive(after: after) { number in
            if let updatedAfter, updated(number) <= updatedAfter { return true }
            if page.numbers.count == limit {
                page.hasNext = true
                return false
            }
            page.numbers.append(number)
            return true
        }
        return page
    }

    /// Nothing that was not edited can match, so only the edits are looked at.
    private func editedPage(after: Int, limit: Int, updatedAfter: Int) -> Page {
        let matching = edits.lazy
            .filter { $0.value.updated > updatedAfter && isLive($0.key) && orderKey(of: $0.key) > after }
            .map { Placed(key: orderKey(of: $0.key), number: $0.key) }
            .sorted { $0.key < $1.key }
        return Page(numbers: matching.prefix(limit).map(\.number), hasNext: matching.count > limit)
    }

    /// `skip` and `limit` count live records; linear in `skip` once the table was edited.
    func page(skip: Int, limit: Int) -> Page {
        if deleted.isEmpty, placed.isEmpty {
            let start = min(max(skip, 0), nextNumber)
            let end = min(start + limit, nextNumber)
            return Page(numbers: Array(start..<end), hasNext: end < nextNumber)
        }
        var page = Page()
        var skipped = 0
        forEachLive(after: 0) { number in
            if skipped < skip {
                skipped += 1
                return true
            }
            if page.numbers.count == limit {
                page.hasNext = true
                return false
            }
            page.numbers.append(number)
            return true
        }
        return page
    }

    /// Merges the seeded records, which are in order by their numbers, with the placed ones, until
    /// `body` returns false.
    func forEachLive(after: Int, _ body: (Int) -> Bool) {
        var seeded = max(after, 0) / Self.keyStep
        var next = placed.partition(after: after)
        let isUntouched = deleted.isEmpty && orderKeys.isEmpty
        while seeded < seededCount || next < placed.count {
            let number: Int
            if next < placed.count, seeded >= seededCount || placed[next].key < (seeded + 1) * Self.keyStep {
                number = placed[next].number
                next += 1
                guard isLive(number) else { continue }
            } else {
                number = seeded
                seeded += 1
                guard isUntouched || (!deleted.contains(number) && orderKeys[number] == nil) else { continue }
            }
            guard body(number) else { return }
        }
    }
}

extension [TableState.Placed] {
    /// The first index whose key is greater than `key`.
    func partition(after key: Int) -> Int {
        var (low, high) = (0, count)
        while low < high {
            let middle = (low + high) / 2
            if self[middle].key > key { high = middle } else { low = middle + 1 }
        }
        return low
    }
}
