package import LeaseholdCore
package import Pitchly
package import TokenVault

/// The access token of one tenant, from the vault.
package struct VaultTokens: AccessTokenProvider {
    private let vault: TokenVault
    private let tenant: TenantID

    package init(vault: TokenVault, tenant: TenantID) {
        self.vault = vault
        self.tenant = tenant
    }

    /// - Throws: ``SyncInterruption`` for what a job must wait for; other errors as they are.
    package func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
        do {
            let access = try await vault.accessToken(for: tenant, replacing: failedGeneration)
            return PitchlyAccessToken(token: access.token, generation: access.generation)
        } catch let error as VaultError {
            switch error.reason {
            case .needsAuthorization, .noCredential: throw SyncInterruption.needsAuthorization(tenant: tenant)
            case .temporarilyUnavailable(let retryAfter):
                throw SyncInterruption.noTokenNow(reason: error.label, retryAfter: retryAfter)
            case .noTenant, .connectRefused, .connectUnknown: throw error
            }
        }
    }
}
