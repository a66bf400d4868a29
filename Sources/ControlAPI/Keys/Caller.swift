import HTTPTypes
import LeaseholdCore

/// Who sent a request: the holder of a key, by the key itself or by a session that it opened.
struct Caller: Sendable {
    let keyID: String
    let name: String
    let scopes: Set<APIScope>
    /// The only tenant that the key may see; nil is all.
    let tenant: TenantID?
    /// Of the session's forms; nil with a key.
    var formToken: String?

    func may(_ scope: APIScope) -> Bool { scopes.contains(scope) || scopes.contains(.admin) }

    var scopeText: String { scopes.map(\.rawValue).sorted().joined(separator: ", ") }

    /// - Throws: ``Problem`` 404 for a tenant that this caller may not even know of.
    func mustSee(_ tenant: TenantID) throws {
        guard let bound = self.tenant, bound != tenant else { return }
        throw Problem(.notFound, UnknownToCaller(tenant: tenant))
    }
}

/// Says the same as for a tenant that does not exist.
private struct UnknownToCaller: ExplainedError {
    let tenant: TenantID
    var label: String { "unknown_tenant" }
    var message: String { "expected a tenant that was added, got \"\(tenant)\"" }
    var hint: String? { nil }
}
