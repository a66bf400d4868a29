/// One page of a table's records.
package struct RecordPage: Sendable {
    package let records: [PitchlyRecord]
    /// Where the next page starts; nil after the last.
    package var nextCursor: String?
    /// As the API counts, for progress; nil where it does not say.
    package var totalCount: Int?
    /// Characters that PostgreSQL cannot store and that were replaced by U+FFFD.
    package let repairs: Int

    package init(records: [PitchlyRecord], nextCursor: String?, totalCount: Int?, repairs: Int) {
        self.records = records
        self.nextCursor = nextCursor
        self.totalCount = totalCount
        self.repairs = repairs
    }
}

/// A record in the form in which it is mirrored.
package struct PitchlyRecord: Sendable {
    package let id: String
    /// A JSON object from field id to the cell's value as it came, in the order of the ids.
    package let fields: [UInt8]
    /// A JSON object from field id to the text shown to people, for the cells where it says more
    /// than the value's own `val`; nil where it never does.
    package let labels: [UInt8]?
    /// SHA-256 over fields and labels, cut to 16 bytes: enough to tell two states of one record
    /// apart, and a third of the index and row space.
    package let contentHash: [UInt8]
}
