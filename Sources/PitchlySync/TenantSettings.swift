import Foundation
import LeaseholdCore

/// The object `pitchly` in a tenant's settings.
struct TenantSettings: Sendable, Equatable, Decodable {
    /// Ids of the workspaces to mirror, of organisations with the dialect v2; nil is all that the API
    /// lists.
    var workspaces: [String]?

    init() {}

    /// - Throws: ``BadTenantSettings``.
    init(json: String?, tenant: TenantID) throws(BadTenantSettings) {
        guard let json, json != "null" else {
            self.init()
            return
        }
        do {
            self = try JSONDecoder().decode(TenantSettings.self, from: Data(json.utf8))
        } catch {
            throw BadTenantSettings(tenant: tenant)
        }
    }
}

struct BadTenantSettings: ExplainedError, Equatable {
    let tenant: TenantID

    var label: String { "bad_tenant_settings" }
    var message: String {
        "expected the settings of tenant \(tenant) to hold {\"pitchly\": {\"workspaces\": [\"wks...\"]}}, got another shape"
    }
    var hint: String? { "update leasehold.tenant set settings = ... where tenant_id = '\(tenant)'" }
}
