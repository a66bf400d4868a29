import Foundation
import Postgres

/// A row of one of the page's statements, which cast all numbers to double precision.
struct PageRow {
    private let row: PostgresRow

    init(_ row: PostgresRow) { self.row = row }

    func number(_ column: String) throws -> Double? { try row.decode(column) }
    func text(_ column: String) throws -> String? { try row.decode(column) }
    func date(_ column: String) throws -> Date? { try row.decode(column) }
    func texts(_ column: String) throws -> [String] { try row.decode(column, as: [String]?.self) ?? [] }

    /// False where it is null.
    func flag(_ column: String) throws -> Bool { try row.decode(column, as: Bool?.self) ?? false }

    /// The database's clock.
    func now() throws -> Date { try row.decode("now") }
}
