import LeaseholdCore

/// What went wrong between us and the database, or what the database refused.
///
/// No text of it holds a bound value, a row's values or a part of the connection string.
/// PostgreSQL's DETAIL line is never kept, and its primary message only where it is made of names
/// (see ``SQLState/messageIsSafe(hasPosition:hasParameters:)``); the whole text is in the server's
/// own log, found by the statement's name and the time.
package struct PostgresError: ExplainedError {
    package let code: Code
    package let message: String
    package let hint: String?
    /// The name of the ``SQLFile``, or the first word of an ad-hoc statement.
    package internal(set) var statement: String?
    package internal(set) var sqlState: String?
    package internal(set) var schema: String?
    package internal(set) var table: String?
    package internal(set) var column: String?
    package internal(set) var constraint: String?
    /// Where in a server's function it happened, without values; only in `debugDescription`.
    package internal(set) var context: [String] = []
    package internal(set) var effect: Effect

    package enum Code: Hashable, Sendable {
        /// The server refused; see ``PostgresError/sqlState``.
        case server
        case invalidURL
        case cannotConnect
        case serverTooOld
        case connectionLost
        /// COMMIT was sent and no answer came: the transaction is either committed or rolled back.
        case commitUnknown
        /// COMMIT was answered with ROLLBACK, because an error inside the transaction was ignored.
        case rolledBack
        case poolExhausted
        case poolClosed
        /// Two statements at once on one connection.
        case connectionBusy
        /// A parameter that the statement cannot take.
        case parameters
        case decoding
        /// A call that does not fit the connection's state, like COPY through `query`.
        case misuse
    }

    /// What the statement may have done.
    package enum Effect: Hashable, Sendable {
        /// Nothing reached the server, or the server undid it.
        case none
        /// It was sent, and no answer came.
        case unknown
    }

    init(
        _ code: Code,
        _ message: String,
        hint: String? = nil,
        statement: String? = nil,
        effect: Effect = .none
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.statement = statement
        self.effect = effect
    }

    /// The connection is gone; another may work.
    package var isConnectionLost: Bool {
        switch code {
        case .connectionLost, .commitUnknown, .cannotConnect: true
        case .server: sqlState.map { SQLState($0).endsSession } ?? false
        default: false
        }
    }

    /// The same transaction may succeed if it is run again from its start.
    package var isRetryable: Bool {
        sqlState == SQLState.serializationFailure.code || sqlState == SQLState.deadlockDetected.code
    }

    package func isServer(_ state: SQLState) -> Bool { sqlState == state.code }
}

extension PostgresError {
    package var label: String {
        switch code {
        case .server: sqlState.map { SQLState($0).label } ?? "postgres_error"
        case .invalidURL: "invalid_database_url"
        case .cannotConnect: "database_unreachable"
        case .serverTooOld: "database_too_old"
        case .connectionLost: "connection_lost"
        case .commitUnknown: "commit_unknown"
        case .rolledBack: "transaction_rolled_back"
        case .poolExhausted: "pool_exhausted"
        case .poolClosed: "pool_closed"
        case .connectionBusy: "connection_busy"
        case .parameters: "invalid_parameter"
        case .decoding: "decoding_failed"
        case .misuse: "postgres_misuse"
        }
    }
}

extension PostgresError: CustomDebugStringConvertible {
    package var debugDescription: String {
        var parts = [description, "label: \(label)"]
        if let sqlState { parts.append("sqlstate: \(sqlState)") }
        if let statement { parts.append("statement: \(statement)") }
        if effect == .unknown { parts.append("effect: unknown") }
        parts += context
        return parts.joined(separator: "\n")
    }
}

extension PostgresError {
    static func invalidURL(reason: String) -> PostgresError {
        PostgresError(
            .invalidURL,
            "expected the database URL to be a libpq URI or key=value string, got one libpq cannot read: \(reason)",
            hint: "write it as postgresql://USER@HOST:5432/DATABASE, with special characters of the password "
                + "percent-encoded, or leave it out and set PGHOST, PGUSER, PGDATABASE"
        )
    }

    static func lost(_ statement: String?, effect: Effect, reason: String) -> PostgresError {
        let fate = effect == .none ? "before anything was sent" : "before the answer came"
        return PostgresError(
            .connectionLost,
            "the connection to the database ended \(fate): \(reason)",
            statement: statement,
            effect: effect
        )
    }

    static func commitUnknown(reason: String) -> PostgresError {
        PostgresError(
            .commitUnknown,
            "COMMIT was sent and the connection ended before its answer (\(reason)): the transaction may be committed",
            hint: "read the rows again on a new connection before repeating the transaction",
            statement: "commit",
            effect: .unknown
        )
    }

    static func decoding(_ column: String, expected: String, got: String, statement: String?) -> PostgresError {
        PostgresError(
            .decoding,
            "expected column \"\(column)\" of \(statement ?? "the answer") to be \(expected), got \(got)",
            statement: statement
        )
    }

    static func busy(_ statement: String, running: String) -> PostgresError {
        PostgresError(
            .connectionBusy,
            "expected one statement at a time on a connection, got \(statement) while \(running) runs",
            hint: "take a connection of its own from the pool for each task",
            statement: statement
        )
    }
}
