/// One point in which a document, or what the program makes of its answer, does not fit an API's schema.
package struct SchemaDifference: Sendable, Equatable {
    package enum Gravity: Sendable, Equatable {
        /// The API refuses the document, or its answer cannot be read.
        case breaking
        /// It may be answered in another form than assumed.
        case doubtful
        /// It may be null where a value was assumed.
        case nullable
    }

    package let gravity: Gravity
    /// `Query.recordsConnection(filter:)`, `Record.fields`, `$filter`.
    package let place: String
    /// What is there and what was assumed: `is [Cell], assumed [Cell!]!`.
    package let message: String

    init(_ gravity: Gravity, _ place: String, _ message: String) {
        self.gravity = gravity
        self.place = place
        self.message = message
    }
}
