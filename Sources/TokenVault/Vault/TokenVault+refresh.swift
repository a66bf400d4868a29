package import LeaseholdCore

extension TokenVault {
    /// Looks at credentials; needs nothing of this vault but its database.
    package var inspector: CredentialInspector { CredentialInspector(pool: store.pool, provider: profile.name) }

    /// Exchanges now, whatever the schedule says.
    ///
    /// - Returns: the new access token's generation.
    /// - Throws: ``VaultError``.
    @discardableResult
    package func refreshNow(_ tenant: TenantID) async throws -> Int64 {
        let status = try await inspector.usableStatus(of: tenant)
        if status.suspectReason != nil {
            _ = try await flights.join(tenant) { [self] in try await tendSuspect(tenant) }
        } else {
            _ = try await flights.join(tenant) { [self] in try await tend(tenant, generation: status.generation) }
        }
        let after = try await inspector.usableStatus(of: tenant)
        guard after.generation > status.generation else {
            let cause = after.lastErrorClass ?? "not_exchanged"
            throw VaultError.temporarilyUnavailable(tenant, after: .seconds(30), cause: cause)
        }
        return after.generation
    }
}
