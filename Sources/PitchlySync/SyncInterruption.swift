package import LeaseholdCore

/// Why a sync cannot go on now, where neither Pitchly nor the database is the cause.
package enum SyncInterruption: ExplainedError, Equatable {
    /// Somebody has to connect the tenant again.
    case needsAuthorization(tenant: TenantID)
    /// No access token can be had for now.
    case noTokenNow(reason: String, retryAfter: Duration)
    /// A later claim, or another job, has the run.
    case lost(syncID: Int64)
    /// Another job is reading the table.
    case busy(owner: JobID)
    /// The tenant was paused while the job ran.
    case paused(tenant: TenantID)
    /// The server crashed and emptied the staged records, again and again.
    case stageLost(syncID: Int64)
    /// A page named itself as the next one.
    case cursorStands(table: String)
    /// The API gave far fewer records than it counts, twice.
    case incomplete(table: String, rows: Int, expected: Int)

    package var label: String {
        switch self {
        case .needsAuthorization: "needs_authorization"
        case .noTokenNow: "no_token_now"
        case .lost: "sync_lost"
        case .busy: "sync_busy"
        case .paused: "tenant_paused"
        case .stageLost: "sync_stage_lost"
        case .cursorStands: "pitchly_cursor_stands"
        case .incomplete: "pitchly_incomplete"
        }
    }

    package var message: String {
        switch self {
        case .needsAuthorization(let tenant): "tenant \(tenant) has to be connected to Pitchly again"
        case .noTokenNow(let reason, _): "no access token for now: \(reason)"
        case .lost(let syncID): "a later claim goes on with sync run \(syncID)"
        case .busy(let owner): "job \(owner) is reading the table"
        case .paused(let tenant): "tenant \(tenant) was paused"
        case .incomplete(let table, let rows, let expected):
            "expected the \(expected) records that the API counts in table \(table), got \(rows)"
        case .stageLost(let syncID): "the staged records of sync run \(syncID) were lost more than once"
        case .cursorStands(let table):
            "expected each page of table \(table) to lead to another, got the same cursor again"
        }
    }

    package var hint: String? {
        switch self {
        case .needsAuthorization(let tenant): "leasehold tenants connect \(tenant)"
        case .paused(let tenant): "leasehold tenants resume \(tenant)"
        case .stageLost: "look into the log of PostgreSQL for crashes"
        case .cursorStands: "look at the page layout of the dialect (platform_records.layout.json)"
        case .noTokenNow, .lost, .busy, .incomplete: nil
        }
    }
}
