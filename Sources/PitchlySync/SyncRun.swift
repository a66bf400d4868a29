import LeaseholdCore

/// A run that this claim holds, and its checkpoint.
struct SyncRun: Sendable, Equatable {
    let tenant: TenantID
    let table: String
    let id: Int64
    let job: JobID
    let claim: RunID
    let mode: SyncMode
    /// Where the next page begins; nil is the first page.
    var cursor: String?
    var pages: Int
    var rows: Int
    /// As the API counts; nil if it does not.
    var expectedRows: Int?

    mutating func startOver() {
        cursor = nil
        pages = 0
        rows = 0
    }
}

/// What a merge did.
package struct MergeResult: Sendable, Equatable {
    package let inserted: Int
    package let updated: Int
    package let deleted: Int
    package let unchanged: Int
    /// Records of the mirror afterwards.
    package let recordCount: Int
}
