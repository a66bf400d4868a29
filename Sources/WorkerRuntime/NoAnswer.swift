package import LeaseholdCore

/// The database is there or not, but has not answered in time.
package struct NoAnswer: ExplainedError, Equatable {
    package let what: String
    package let limit: Duration

    init(to what: String, within limit: Duration) {
        self.what = what
        self.limit = limit
    }

    package var label: String { "database_no_answer" }
    package var message: String { "expected the database to answer the \(what) within \(limit), it did not" }
    package var hint: String? { nil }
}
