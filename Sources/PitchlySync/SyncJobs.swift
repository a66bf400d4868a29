package import LeaseholdCore
package import Pitchly
package import Postgres

/// The job kinds of this module and what they share.
package struct SyncJobs: Sendable {
    /// Finds the tenant's tables and enqueues a sync of each. Args: `{}`.
    package static let syncKind = JobKind(rawValue: "pitchly.sync")!
    /// Mirrors one table. Args: `{"table": "<table id>"}`.
    package static let syncTableKind = JobKind(rawValue: "pitchly.sync_table")!

    let store: MirrorStore
    let api: PitchlyAPI
    let tokens: TokenSource
    let settings: SyncSettings

    /// Gives what gives a tenant's access tokens: the vault, in the program.
    package typealias TokenSource = @Sendable (_ tenant: TenantID) -> any AccessTokenProvider

    package init(
        pool: PostgresPool,
        api: PitchlyAPI,
        settings: SyncSettings = SyncSettings(),
        tokens: @escaping TokenSource
    ) {
        store = MirrorStore(pool: pool)
        self.api = api
        self.settings = settings
        self.tokens = tokens
    }

    var dialect: any PitchlyDialect { api.dialect }

    func client(for context: SyncContext) -> PitchlyClient {
        api.client(for: context.tenant, tokens: tokens(context.tenant), logger: context.logger)
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
