import Foundation

/// Where a page of records is found in the answer to a records document. It stands beside the
/// document as `*.layout.json`, so that both can be replaced together without a build.
package struct PageLayout: Sendable, Equatable, Decodable {
    /// From `data` to the array of records.
    let list: [String]
    /// From an element of the array to the record; empty where they are the same.
    let record: [String]
    /// Member of a record with its id.
    let recordID: String
    /// Member of a record with its cells, an array.
    let cells: String
    /// Member of a cell with the id of its field.
    let cellField: String
    /// Member of a cell with its value, any JSON.
    let cellValue: String
    /// Member of a cell with the value as shown to people; nil where there is none.
    let cellLabel: String?
    /// From `data` to a boolean; nil where paging goes by the number of records.
    let hasNextPage: [String]?
    /// From `data` to the cursor of the page after this one.
    let endCursor: [String]?
    /// From `data` to the number of all records.
    let totalCount: [String]?

    /// The places outside the records, as a tree that is walked along with the answer.
    func places() -> Place {
        var root = Place()
        root.add(list, .list)
        if let hasNextPage { root.add(hasNextPage, .hasNextPage) }
        if let endCursor { root.add(endCursor, .endCursor) }
        if let totalCount { root.add(totalCount, .totalCount) }
        return root
    }

    /// One member of the answer that leads to something.
    struct Place: Sendable {
        enum Meaning { case list, hasNextPage, endCursor, totalCount }
        private(set) var meaning: Meaning?
        private var members: [(name: [UInt8], place: Place)] = []

        fileprivate mutating func add(_ path: [String], _ meaning: Meaning) {
            guard let first = path.first else {
                self.meaning = meaning
                return
            }
            let name = Array(first.utf8)
            var next = Place()
            if let index = members.firstIndex(where: { $0.name == name }) {
                next = members.remove(at: index).place
            }
            next.add(Array(path.dropFirst()), meaning)
            members.append((name, next))
        }

        func member(_ name: ArraySlice<UInt8>) -> Place? {
            members.first { name.elementsEqual($0.name) }?.place
        }
    }
}
