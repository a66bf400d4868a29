/// What a key of the HTTP interface may do.
package enum APIScope: String, Sendable, CaseIterable {
    case jobsRead = "jobs:read"
    case jobsWrite = "jobs:write"
    case tenantsRead = "tenants:read"
    case tenantsWrite = "tenants:write"
    /// Get an access token of a tenant.
    case tokensRead = "tokens:read"
    /// Give a tenant its credential.
    case tokensWrite = "tokens:write"
    /// Everything; never bound to a tenant.
    case admin
}
