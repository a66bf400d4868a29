import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport

/// Waits until `condition`, an SQL expression, is true; the server does the waiting.
///
/// - Throws: after a minute of the server's time: the condition will never be true.
func until(_ pool: PostgresPool, _ condition: String) async throws {
    for _ in 0..<6000 {
        let rows = try await pool.withConnection { connection in
            try await connection.query(sql: "select (\(condition)) from pg_sleep(0.01)")
        }
        if try rows.only.decode(0, as: Bool.self) { return }
    }
    throw TestSupportError(label: "never", message: "expected \(condition) to become true, got false")
}

/// Statements as a file would hold them.
func statement(_ name: String, _ parameters: String, _ sql: String) -> SQLFile {
    SQLFile(name: name, text: "-- \(name)\n-- params: \(parameters)\n\(sql)")
}

extension PostgresPool {
    /// The only value of the only row.
    func value<Value: PostgresDecodable & Sendable>(
        _ sql: String,
        as type: Value.Type = Value.self
    ) async throws -> Value {
        try await withConnection { try await $0.query(sql: sql).only.decode(0, as: type) }
    }

    func run(script: String) async throws {
        try await withConnection { try await $0.run(script: script) }
    }
}

/// The ``PostgresError`` that `body` throws.
func postgresError(_ body: () async throws -> Void) async throws -> PostgresError {
    do {
        try await body()
    } catch let error as PostgresError {
        return error
    }
    throw TestSupportError(label: "no_error", message: "expected a PostgresError, got none")
}

extension TestDatabase {
    /// Waits until a statement like `pattern` runs in this database.
    func untilActive(_ pattern: String) async throws {
        try await until(
            pool(size: 1),
            "exists (select from pg_stat_activity where datname = current_database() and query like '\(pattern)' and state = 'active' and pid <> pg_backend_pid())"
        )
    }
}
