import FakePitchly
import Foundation
import LeaseholdCore
import Logging
import Pitchly
import Postgres
import ServiceLifecycle
import TokenVault

/// A database with tenants, a fake Pitchly with a grant for each, and refresh services over both.
struct TokenStage {
    let pool: PostgresPool
    let fake: FakePitchlyServer
    private let options: StageOptions
    private let oauth: OAuthClient
    private let keys: FixedKeyProvider
    private let logger: Logger

    /// One worker with the refresh role.
    struct Refresher {
        let vault: TokenVault
        let pool: PostgresPool
        let spool: DirectorySpool
    }

    static func with(
        _ options: StageOptions,
        tenants: Int,
        accessTokenSeconds: Int,
        _ body: (TokenStage) async throws -> Void
    ) async throws {
        var configuration = FakePitchlyConfiguration()
        configuration.data.organizations = tenants
        configuration.data.largeOrganizations = 0
        configuration.oauth.accessTokenSeconds = accessTokenSeconds
        configuration.latency = .milliseconds(options.latencyMilliseconds)
        let key = try KeyRing(parsing: try KeyRing.makeLine(id: "bench"), source: "the benchmark")
        var logger = Logger(label: "bench") { StreamLogHandler.standardError(label: $0) }
        logger.logLevel = .error
        try await FakePitchlyServer.withServer(configuration) { fake in
            try await PitchlyTransport.withTransport { transport in
                let oauth = OAuthClient(
                    configuration: try OAuthConfiguration(
                        origin: try PitchlyURL(fake.oauthOrigin, setting: "bench"),
                        clientID: configuration.oauth.clientID,
                        clientSecret: Secret(configuration.oauth.clientSecret)
                    ),
                    transport: transport,
                    logger: logger
                )
                let pool = PostgresPool(
                    configuration: PostgresConfiguration(url: options.databaseURL),
                    size: 16,
                    logger: logger
                )
                let stage = TokenStage(
                    pool: pool,
                    fake: fake,
                    options: options,
                    oauth: oauth,
                    keys: FixedKeyProvider(key),
                    logger: logger
                )
                try await SchemaMigrator(pool: pool, logger: logger).migrate()
                try await stage.sql(
                    "insert into leasehold.tenant (tenant_id) select 't' || i from generate_series(0, \(tenants - 1)) i"
                )
                try await body(stage)
                await pool.close()
            }
        }
    }

    func sql(_ text: String) async throws {
        try await pool.withConnection { try await $0.run(script: text) }
    }

    func number(_ sql: String) async throws -> Double {
        try await pool.withConnection { try await $0.query(sql: sql).only.decode(0, as: Double.self) }
    }

    /// A vault with its own connections and its own spool files, as another worker process has.
    func refresher(
        exchangesAtOnce: Int,
        exchangesPerSecond: Double,
        burst: Int
    ) async throws -> Refresher {
        var profile = ProviderProfile()
        profile.exchangesPerSecond = exchangesPerSecond
        profile.burst = burst
        profile.deadline = .seconds(10)
        var settings = VaultSettings()
        settings.exchangeLimit = exchangesAtOnce
        let pool = PostgresPool(
            configuration: PostgresConfiguration(url: options.databaseURL),
            size: exchangesAtOnce + 4,
            logger: logger
        )
        let spool = try await DirectorySpool.open(path: options.folder + "/spool")
        let vault = try TokenVault(
            pool: pool,
            exchange: oauth.tokenExchange,
            keys: keys,
            spool: spool,
            profile: profile,
            settings: settings,
            client: "bench",
            logger: logger
        )
        try await vault.prepare()
        return Refresher(vault: vault, pool: pool, spool: spool)
    }

    /// Stores a refresh token for every tenant, presented to nobody yet.
    func storeGrants(_ vault: TokenVault) async throws {
        let organizations = fake.organizationIDs
        try await withThrowingTaskGroup(of: Void.self) { group in
            for lane in 0..<16 {
                group.addTask { [fake] in
                    for index in stride(from: lane, to: organizations.count, by: 16) {
                        let grant = try fake.makeGrant(organization: organizations[index])
                        try await vault.storeRefreshToken(Secret(grant.refreshToken), for: try TenantID("t\(index)"))
                    }
                }
            }
            try await group.waitForAll()
        }
        try await sql("vacuum analyze")
    }

    /// Runs the refresh services until `body` returns, then waits for their exchanges.
    func serving(_ refreshers: [Refresher], _ body: () async throws -> Void) async throws {
        let services = refreshers.map { RefreshService(vault: $0.vault, logger: logger) }
        let group = ServiceGroup(services: services, logger: logger)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        for refresher in refreshers { await refresher.pool.close() }
    }

    var exchanged: Int { fake.totals.succeeded["refresh_token"] ?? 0 }
}

/// Processor seconds of this process: vault and fake together.
func processorSeconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) / 1_000_000_000
}

/// One line, numbers only.
func report(_ values: [String: Double]) throws {
    let data = try JSONSerialization.data(withJSONObject: values, options: [.sortedKeys])
    print(String(decoding: data, as: UTF8.self))
}
