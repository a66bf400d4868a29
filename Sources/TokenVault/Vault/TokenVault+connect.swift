import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

extension TokenVault {
    /// Connects a tenant by a grant that a person or an operator gave, or connects it again. The old
    /// refresh token goes to the archive, the generation goes on, parked jobs are resumed.
    ///
    /// A refresh token is stored before it is presented for the first time. The other grants are
    /// exchanged with the same care as a rotation: their first reply is just as easily lost.
    ///
    /// - Parameter organization: the provider's id of the tenant's organisation, where it is known.
    /// - Returns: the first access token.
    /// - Throws: ``VaultError``. After `connectRefused` the credential is as it was before.
    @discardableResult
    package func connect(
        _ tenant: TenantID,
        with grant: TokenGrant,
        organization: String? = nil
    ) async throws -> AccessToken {
        if case .refreshToken(let token) = grant {
            try await storeRefreshToken(token, for: tenant, organization: organization)
            return try await firstToken(tenant)
        }
        var organization = organization
        if case .clientCredentials(let id) = grant { organization = id }
        let order = ExchangeOrder(tenant: tenant, rung: .connect, grant: grant, organization: organization)
        let outcome = try await perform(order)
        if let token = try interpret(outcome, tenant) { return token }
        return try await accessToken(for: tenant)
    }

    private func interpret(_ outcome: ExchangeOutcome, _ tenant: TenantID) throws -> AccessToken? {
        switch outcome {
        case .saved(let token): return token
        case .superseded, .behind: return nil
        case .unfit(let error): throw error
        case .obstructed(.noTenant): throw VaultError.noTenant(tenant)
        case .obstructed(.exchanging(let delay)):
            throw VaultError.temporarilyUnavailable(tenant, after: delay, cause: "exchanging")
        case .obstructed: throw VaultError.temporarilyUnavailable(tenant, after: .seconds(1), cause: "moved")
        case .failed(.ambiguous(let errorClass, _)): throw VaultError.connectUnknown(tenant, errorClass)
        case .failed(.throttled(let delay)):
            throw VaultError.temporarilyUnavailable(tenant, after: delay, cause: "throttled")
        case .failed(.notSent): throw VaultError.temporarilyUnavailable(tenant, after: .seconds(5), cause: "not_sent")
        case .failed(let verdict):
            throw VaultError.connectRefused(tenant, verdict.errorClass ?? "no_refresh_token")
        }
    }

    /// Takes in a refresh token as the tenant's next generation, due at once, and presents it to nobody: for
    /// many tenants brought over from elsewhere, whose first exchanges then keep to the budget.
    ///
    /// - Throws: ``VaultError``.
    package func storeRefreshToken(
        _ token: Secret,
        for tenant: TenantID,
        organization: String? = nil
    ) async throws {
        let sealer = try await currentSealer()
        for _ in 0..<5 {
            let generation = try await store.places(of: [tenant])[tenant]?.generation ?? 0
            let place = Sealer.Place(tenant: tenant, column: .refreshToken, generation: generation + 1)
            let outcome = try await store.pool.query(
                .credentialStore,
                tenant.rawValue,
                profile.name,
                UUID(),
                generation,
                try sealer.seal(token, at: place),
                organization,
                store.worker.rawValue
            ).only.decode("outcome", as: String.self)
            switch outcome {
            case "stored": return cache.forget(tenant)
            case "no_tenant": throw VaultError.noTenant(tenant)
            case "exchanging":
                throw VaultError.temporarilyUnavailable(tenant, after: .seconds(60), cause: "exchanging")
            default: continue
            }
        }
        throw VaultError.temporarilyUnavailable(tenant, after: .seconds(1), cause: "moved")
    }

    /// The first rotation of a stored token, so that a person learns at once that it does not work.
    private func firstToken(_ tenant: TenantID) async throws -> AccessToken {
        do {
            return try await accessToken(for: tenant)
        } catch let error as VaultError {
            guard let status = try await inspector.status(of: tenant), let errorClass = status.lastErrorClass,
                status.suspectReason == "dead"
            else { throw error }
            throw VaultError.connectRefused(tenant, errorClass)
        }
    }
}
