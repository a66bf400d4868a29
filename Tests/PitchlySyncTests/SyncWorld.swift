import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Logging
import Pitchly
import Postgres
import SQLFiles
import Synchronization
import TestSupport
import Testing

@testable import PitchlySync

/// A fake Pitchly and a database of one test's own, with the sync jobs between them.
struct SyncWorld: Sendable {
    let server: FakePitchlyServer
    let pool: PostgresPool
    let jobs: SyncJobs
    let log: CapturedLog
    let dialect: DialectName
    /// Ends a claim at one of its requests.
    let fuse = Fuse()
    private let lastJob = LastJob()

    private final class LastJob: Sendable {
        let id = Atomic<Int64>(1000)
    }

    struct Options: Sendable {
        var fake = FakePitchlyConfiguration()
        var settings = SyncSettings()
        var dialect = DialectName.platform
        var documents = DialectDocuments.embedded
        /// In the place of the fake's tokens.
        var tokens: (any AccessTokenProvider)?

        init(_ change: (inout Options) -> Void = { _ in }) {
            fake.data.organizations = 2
            fake.data.largeOrganizations = 0
            fake.data.tablesPerWorkspace = 2
            fake.data.recordsPerTable = 120...180
            fake.api.maxPageSize = 50
            settings.pageSize = 50
            change(&self)
        }
    }

    /// Runs `body` with tenants `tenant-0`, `tenant-1`, … for the fake's organisations, their tables
    /// known.
    static func withWorld(
        _ options: Options = Options(),
        _ body: (SyncWorld) async throws -> Void
    ) async throws {
        try await FakePitchlyServer.withServer(options.fake) { server in
            try await withDatabase { database in
                try await PitchlyTransport.withTransport { transport in
                    let world = try SyncWorld(server: server, database: database, transport: transport, options)
                    for number in server.organizationIDs.indices {
                        _ = try await world.pool.query(.tenantAdd, world.tenant(number).rawValue, "")
                        try await world.discover(number)
                    }
                    try await body(world)
                }
            }
        }
    }

    private init(
        server: FakePitchlyServer,
        database: TestDatabase,
        transport: PitchlyTransport,
        _ options: Options
    ) throws {
        self.server = server
        log = database.log
        pool = database.pool(size: 4)
        dialect = options.dialect
        let url = dialect == .v2 ? server.v2URL : server.apiURL
        var configuration = PitchlyAPI.Configuration(url: try PitchlyURL(url, setting: "api"))
        configuration.repeatDelay = .milliseconds(1)
        var quick = RateSettings(start: 100_000, ceiling: 100_000)
        quick.floor = 100_000
        let api = PitchlyAPI(
            configuration: configuration,
            dialect: try dialect.dialect(documents: options.documents),
            transport: transport,
            governor: RateGovernor(tenant: quick, provider: quick),
            ambience: .init(random: RandomSource(seed: 1))
        )
        let tokens = FakeTokens(server: server)
        jobs = SyncJobs(pool: pool, api: api, settings: options.settings) { [given = options.tokens, fuse] tenant in
            FusedTokens(fuse: fuse, tokens: given ?? tokens.provider(for: tenant))
        }
    }

    func tenant(_ number: Int) -> TenantID { TenantID(rawValue: "tenant-\(number)")! }

    func tables(_ number: Int) throws -> [FakeTable] {
        try server.organization(server.organizationIDs[number]).tables
    }

    /// As the dialect names the table: v2 has no prefixes.
    func id(of table: FakeTable) -> String { dialect == .v2 ? String(table.id.dropFirst(3)) : table.id }

    /// The fake's endpoint of the dialect.
    var endpoint: FaultRule.Endpoint { dialect == .v2 ? .v2 : .graphql }

    /// What `pitchly.sync` does before it enqueues.
    func discover(_ number: Int) async throws {
        let organization = try server.organization(server.organizationIDs[number])
        let workspaces = organization.workspaces.map { workspace in
            PitchlyWorkspace(
                id: workspace.id,
                name: workspace.name,
                tables: organization.tables.filter { $0.workspace == workspace.id }
                    .map { PitchlyTable(id: id(of: $0), name: $0.name, fields: []) }
            )
        }
        _ = try await jobs.store.put(workspaces, of: tenant(number))
    }

    /// - Parameter afterPage: is called after the first pages were written; what it throws ends the claim.
    func context(
        _ number: Int,
        args: String = "{}",
        job: Int64? = nil,
        run: Int64 = 1,
        afterPage: @escaping @Sendable () async throws -> Void = {}
    ) -> SyncContext {
        SyncContext(
            tenant: tenant(number),
            job: JobID(rawValue: job ?? lastJob.id.add(1, ordering: .relaxed).newValue),
            run: RunID(rawValue: run),
            args: args,
            logger: log.logger("sync"),
            saveProgress: { _ in try await afterPage() }
        )
    }

    func sync(_ table: FakeTable, of number: Int, job: Int64? = nil, run: Int64 = 1) async throws -> JobOutcome {
        try await jobs.syncTable(context(number, args: args(table), job: job, run: run))
    }

    /// Args of a sync of the table.
    func args(_ table: FakeTable) -> String { #"{"table":"\#(id(of: table))"}"# }

    /// A client of the tenant's own.
    func api(_ number: Int) -> PitchlyClient { jobs.client(for: context(number)) }

    /// Rows of an ad-hoc statement.
    func rows(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await pool.withConnection { connection in
            switch parameters.count {
            case 0: try await connection.query(sql: sql)
            case 1: try await connection.query(sql: sql, parameters[0])
            default: try await connection.query(sql: sql, parameters[0], parameters[1])
            }
        }
    }

    /// The latest run of a table.
    func lastRun(_ table: FakeTable, of number: Int) async throws -> PostgresRow {
        try await pool.query(.syncRunList, tenant(number).rawValue, id(of: table), Int32(1)).only
    }
}

/// Burns down by one with each request; at the end of it, the claim is over.
final class Fuse: Sendable {
    private let requests = Mutex<Int?>(nil)

    /// Nil puts it out.
    func light(requests number: Int?) { requests.withLock { $0 = number } }

    fileprivate func burn() throws {
        try requests.withLock { requests in
            guard let left = requests else { return }
            if left == 0 { throw CancellationError() }
            requests = left - 1
        }
    }
}

private struct FusedTokens: AccessTokenProvider {
    let fuse: Fuse
    let tokens: any AccessTokenProvider

    func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
        try fuse.burn()
        return try await tokens.accessToken(replacing: failedGeneration)
    }
}

/// Gives the tokens of the fake's organisations without a vault: a new grant for each refused token.
private final class FakeTokens: Sendable {
    private let server: FakePitchlyServer
    private let current = Mutex<[TenantID: PitchlyAccessToken]>([:])

    init(server: FakePitchlyServer) { self.server = server }

    func provider(for tenant: TenantID) -> Provider { Provider(tokens: self, tenant: tenant) }

    func token(_ tenant: TenantID, replacing failed: Int64?) throws -> PitchlyAccessToken {
        let number = Int(tenant.rawValue.drop { $0 != "-" }.dropFirst()) ?? 0
        return try current.withLock { current in
            if let known = current[tenant], known.generation != failed { return known }
            let grant = try server.makeGrant(organization: server.organizationIDs[number])
            let generation = (current[tenant]?.generation ?? 0) + 1
            let token = PitchlyAccessToken(token: Secret(grant.accessToken), generation: generation)
            current[tenant] = token
            return token
        }
    }

    struct Provider: AccessTokenProvider {
        let tokens: FakeTokens
        let tenant: TenantID

        func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken {
            try tokens.token(tenant, replacing: failedGeneration)
        }
    }
}
