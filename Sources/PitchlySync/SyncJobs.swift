package import LeaseholdCore
package import Logging
package import Pitchly
package import Postgres

/// The job kinds of this module and what they share.
package struct SyncJobs: Sendable {
    /// Finds the tenant's tables and enqueues a sync of each. Args: `{}`.
    package static let syncKind = JobKind(rawValue: "pitchly.sync")!
    /// Mirrors one table. Args: `{"table": "<table id>"}`.
    package static let syncTableKind = JobKind(rawValue: "pitchly.sync_table")!

    let store: MirrorStore
    let dialect: any PitchlyDialect
    let settings: SyncSettings
    let makeClient: ClientFactory

    /// Makes the client of one tenant for the time of one job.
    package typealias ClientFactory = @Sendable (_ tenant: TenantID, _ logger: Logger) -> PitchlyClient

    package init(
        pool: PostgresPool,
        dialect: any PitchlyDialect,
        settings: SyncSettings = SyncSettings(),
        makeClient: @escaping ClientFactory
    ) {
        store = MirrorStore(pool: pool)
        self.dialect = dialect
        self.settings = settings
        self.makeClient = makeClient
    }
}

extension SyncJobs {
    /// Asks for a sync of one table. While one runs, the request is remembered, once.
    ///
    /// - Throws: ``PostgresError`` for a table that no `pitchly.sync` has found yet.
    package func request(_ table: String, of tenant: TenantID) async throws -> JobID {
        try await store.request(table, of: tenant, queue: settings.queue)
    }
}
