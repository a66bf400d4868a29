package import Foundation
package import LeaseholdCore
package import Postgres
import SQLFiles

/// What people did by hand, as the database keeps it.
package struct ActionLog: Sendable {
    private let pool: PostgresPool

    package init(pool: PostgresPool) { self.pool = pool }

    /// A page, newest first: of all, of one tenant, or of one job.
    ///
    /// - Parameter before: only lines with a lower number.
    package func list(
        tenant: TenantID? = nil,
        job: JobID? = nil,
        before: Int64? = nil,
        limit: Int = 50
    ) async throws -> [ActionRecord] {
        try await pool.query(.actionList, tenant?.rawValue, job?.rawValue, before, Int32(clamping: limit))
            .map { try ActionRecord($0) }
    }
}

/// One line of the log.
package struct ActionRecord: Sendable {
    package let id: Int64
    package let doneAt: Date
    package let actor: String
    /// `page`, `api`, `command` or `sql`.
    package let via: String
    /// The database's login.
    package let login: String
    package let verb: String
    package let object: String
    package let name: String?
    package let tenant: String?
    package let job: JobID?
    package let count: Int
    /// A JSON object.
    package let detail: String
    /// The database's clock.
    package let now: Date

    init(_ row: PostgresRow) throws {
        id = try row.decode("action_id")
        doneAt = try row.decode("done_at")
        actor = try row.decode("actor")
        via = try row.decode("via")
        login = try row.decode("login")
        verb = try row.decode("verb")
        object = try row.decode("object")
        name = try row.decode("name")
        tenant = try row.decode("tenant_id")
        job = try row.decode("job_id", as: Int64?.self).map { JobID(rawValue: $0) }
        count = Int(try row.decode("count", as: Int64.self))
        detail = try row.decode("detail", as: PostgresJSON.self).text
        now = try row.decode("now")
    }

    /// What it was done to, in words: `job 42 of acme`, `3 jobs`, `queue mail`.
    package var target: String {
        let whose = tenant.map { " of \($0)" } ?? ""
        return switch object {
        case "job": "job \(job?.description ?? "")\(whose)"
        case "jobs": "\(count) jobs\(whose)"
        case "tenant": tenant.map { "tenant \($0)" } ?? "\(count) tenants"
        case "api_key": "API key \(name ?? "")\(whose)"
        default: "\(object) \(name ?? "")\(whose)"
        }
    }
}
