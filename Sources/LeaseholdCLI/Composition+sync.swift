import PitchlySync
import Postgres

extension Composition {
    /// Runs `body` with the sync jobs as a worker has them, for commands that read Pitchly themselves.
    func withSyncJobs<Result>(_ body: (SyncJobs, PostgresPool) async throws -> Result) async throws -> Result {
        try await withVaultParts { vault, pool, transport in
            try await body(try makeSyncJobs(pool: pool, vault: vault, transport: transport), pool)
        }
    }
}
