internal import LeaseholdCore

/// The database is there or not, but has not answered in time.
struct NoAnswer: ExplainedError, Equatable {
    let what: String
    let limit: Duration

    init(to what: String, within limit: Duration) {
        self.what = what
        self.limit = limit
    }

    var label: String { "database_no_answer" }
    var message: String { "expected the database to answer the \(what) within \(limit), it did not" }
    var hint: String? { nil }
}
