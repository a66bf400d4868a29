import HTTPTypes
import LeaseholdCore
import Postgres
import SQLFiles

/// Reads what the page shows: views of the schema `leasehold_dashboard`, over a pool whose statements
/// end after a few seconds.
struct PageStore: Sendable {
    /// Rows of a list that are shown at once.
    static let pageSize: Int32 = 50

    private let pool: PostgresPool

    init(pool: PostgresPool) { self.pool = pool }

    /// - Throws: ``Problem`` 503 if the statement took too long.
    func rows(_ file: SQLFile, _ parameters: (any PostgresEncodable)?...) async throws -> [PageRow] {
        do {
            return try await pool.query(PostgresCall(file, parameters: parameters)).map { PageRow($0) }
        } catch let error as PostgresError where error.isServer(.queryCanceled) {
            throw Problem(
                .serviceUnavailable,
                "page_timeout",
                "expected the database to find this within a few seconds, got nothing",
                hint: "narrow the filter, for example to one tenant"
            ).retry(after: .seconds(10))
        }
    }
}
