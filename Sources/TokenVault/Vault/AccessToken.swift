package import Foundation
package import LeaseholdCore

/// A token for the API, with the generation to name if the API refuses it.
package struct AccessToken: Sendable, Equatable {
    package let token: Secret
    package let generation: Int64
    /// By the database's clock.
    package let expiresAt: Date
}

/// Why there is no access token, or why a tenant could not be connected.
package struct VaultError: ExplainedError, Equatable {
    package enum Reason: Equatable, Sendable {
        /// A person has to connect the tenant again.
        case needsAuthorization
        /// The tenant was never connected.
        case noCredential
        case noTenant
        /// Worth another try after `retryAfter`.
        case temporarilyUnavailable(retryAfter: Duration)
        /// The provider refused what the person gave; nothing was changed.
        case connectRefused
        /// No usable answer came to a first exchange: what the person gave may be spent.
        case connectUnknown
    }

    package let reason: Reason
    package let label: String
    package let message: String
    package let hint: String?

    static func needsAuthorization(_ tenant: TenantID) -> VaultError {
        VaultError(
            reason: .needsAuthorization,
            label: "needs_authorization",
            message: "expected tenant \(tenant) to have a working credential, got one that needs authorization",
            hint: "leasehold tenants connect \(tenant)"
        )
    }

    static func noCredential(_ tenant: TenantID) -> VaultError {
        VaultError(
            reason: .noCredential,
            label: "no_credential",
            message: "expected tenant \(tenant) to be connected, got a tenant without a credential",
            hint: "leasehold tenants connect \(tenant)"
        )
    }

    static func noTenant(_ tenant: TenantID) -> VaultError {
        VaultError(
            reason: .noTenant,
            label: "no_tenant",
            message: "expected tenant \(tenant) to exist, got none of that id",
            hint: "leasehold tenants add \(tenant)"
        )
    }

    /// - Parameter cause: a label: `back_off`, `bucket`, `breaker`, `postgres_…`.
    static func temporarilyUnavailable(_ tenant: TenantID, after delay: Duration, cause: String) -> VaultError {
        VaultError(
            reason: .temporarilyUnavailable(retryAfter: delay),
            label: "token_unavailable",
            message: "expected an access token for tenant \(tenant), got none for the moment (\(cause))",
            hint: "leasehold tokens show \(tenant)"
        )
    }

    static func notRefreshed(_ tenant: TenantID, within patience: Duration, _ errorClass: String?) -> VaultError {
        let last = errorClass.map { "; its last exchange ended with \($0)" } ?? ""
        return VaultError(
            reason: .temporarilyUnavailable(retryAfter: patience),
            label: "not_refreshed",
            message: "expected a worker to refresh tenant \(tenant) within \(patience.seconds) s, got no new "
                + "generation\(last); the request stays",
            hint: "leasehold worker --worker-roles refresh"
        )
    }

    static func connectRefused(_ tenant: TenantID, _ errorClass: String) -> VaultError {
        VaultError(
            reason: .connectRefused,
            label: "connect_refused",
            message: "expected the provider to exchange what was given for tenant \(tenant), got \(errorClass)",
            hint: errorClass == "invalid_client" || errorClass == "unauthorized_client"
                ? "check LEASEHOLD_PITCHLY_CLIENT_ID and LEASEHOLD_PITCHLY_CLIENT_SECRET"
                : "get a new one from the user's session and connect again"
        )
    }

    static func connectUnknown(_ tenant: TenantID, _ errorClass: String) -> VaultError {
        VaultError(
            reason: .connectUnknown,
            label: "connect_unknown",
            message: "expected an answer to the exchange for tenant \(tenant), got none that can be used "
                + "(\(errorClass)); what was given may be spent",
            hint: "get a new one from the user's session and connect again"
        )
    }
}
