import FakePitchly
import Foundation
import LeaseholdCore
import Logging
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// A database, a fake Pitchly and vaults over both, of one test's own.
struct VaultWorld {
    let database: TestDatabase
    let fake: FakePitchlyServer
    let oauth: OAuthClient
    let spoolPath: String
    let log: CapturedLog
    /// For looking into the tables.
    let pool: PostgresPool

    /// A vault with its own pool and its own spool files, as another worker process would have.
    func vault(
        exchange: TokenExchange? = nil,
        keys: (any KeyProvider)? = nil,
        spool: (any SpoolStore)? = nil,
        url: String? = nil,
        poolSize: Int = 6,
        clock: any Clock<Duration> = ContinuousClock(),
        wallClock: any WallClock = SystemWallClock(),
        profile change: (inout ProviderProfile) -> Void = { _ in },
        settings changeSettings: (inout VaultSettings) -> Void = { _ in },
        faultHook: VaultFaultHook? = nil
    ) async throws -> TokenVault {
        var profile = ProviderProfile()
        profile.exchangesPerSecond = 1000
        profile.burst = 1000
        change(&profile)
        var settings = VaultSettings()
        settings.exchangeLimit = poolSize - 2
        changeSettings(&settings)
        let vault = try TokenVault(
            pool: database.pool(size: poolSize, logger: log.logger("postgres")) { configuration in
                if let url { configuration = .patient(url: url) }
            },
            exchange: exchange ?? oauth.tokenExchange,
            keys: keys ?? FixedKeyProvider(try TestKeys.ring("k1")),
            spool: try await orNew(spool),
            profile: profile,
            settings: settings,
            client: "client",
            clock: clock,
            wallClock: wallClock,
            random: RandomSource(seed: 1),
            logger: log.logger("vault"),
            faultHook: faultHook
        )
        try await vault.prepare()
        return vault
    }

    private func orNew(_ spool: (any SpoolStore)?) async throws -> any SpoolStore {
        if let spool { return spool }
        return try await newSpool()
    }

    func newSpool() async throws -> DirectorySpool {
        var settings = DirectorySpool.Settings()
        settings.slotsPerFile = 16
        return try await DirectorySpool.open(path: spoolPath, settings: settings)
    }

    /// The organisation of `tenant`, which is made if there is none.
    @discardableResult
    func addTenant(_ tenant: TenantID) async throws -> String {
        try await sql("insert into leasehold.tenant (tenant_id) values ($1) on conflict do nothing", tenant.rawValue)
        return organization(of: tenant)
    }

    /// Tenants are called `t0`, `t1`, …
    func organization(of tenant: TenantID) -> String {
        fake.organizationIDs[Int(tenant.rawValue.dropFirst()) ?? 0]
    }

    /// Adds the tenant and connects it by the seed's flow.
    @discardableResult
    func connect(_ tenant: TenantID, _ vault: TokenVault) async throws -> AccessToken {
        let organization = try await addTenant(tenant)
        let session = Secret(try fake.makeSession(organization: organization))
        return try await vault.connect(tenant, with: .accessToken(session), organization: organization)
    }

    /// As if so much time had passed in the database.
    func advance(by duration: Duration) async throws {
        let seconds = duration.seconds
        try await shift("credential", by: seconds)
        try await shift("provider", by: seconds)
    }

    private func shift(_ table: String, by seconds: Double) async throws {
        let columns = try await pool.withConnection { connection in
            try await connection.query(
                sql: """
                    select column_name::text from information_schema.columns
                    where table_schema = 'leasehold' and table_name = $1 and data_type = 'timestamp with time zone'
                    """,
                table
            ).map { try $0.decode(0, as: String.self) }
        }
        let list = columns.map { "\($0) = \($0) - interval '\(seconds) seconds'" }.joined(separator: ", ")
        try await sql("update leasehold.\(table) set \(list)")
    }

    @discardableResult
    func sql(_ text: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await pool.withConnection { connection in
            switch parameters.count {
            case 0: try await connection.query(sql: text)
            case 1: try await connection.query(sql: text, parameters[0])
            default: try await connection.query(sql: text, parameters[0], parameters[1])
            }
        }
    }

    func value<Value: PostgresDecodable>(_ text: String, _ tenant: TenantID, as type: Value.Type) async throws -> Value
    {
        try await sql("select \(text) from leasehold.credential where tenant_id = $1", tenant.rawValue).only
            .decode(0, as: type)
    }

    /// What the row holds, opened.
    func storedRefreshToken(_ tenant: TenantID) async throws -> String {
        let generation = try await value("generation", tenant, as: Int64.self)
        let cell = try await value("refresh_token", tenant, as: [UInt8].self)
        let place = Sealer.Place(tenant: tenant, column: .refreshToken, generation: generation)
        return try Sealer(ring: try TestKeys.ring("k1", "k2")).openSecret(cell, at: place).reveal()
    }

    /// The invariants that hold after every run: nothing presented twice, and the token that the
    /// provider would accept is in the row.
    func expectHealthy(
        _ tenants: [TenantID],
        presentedTwice: Int = 0,
        _ location: SourceLocation = #_sourceLocation
    ) async throws {
        let ledger = fake.ledger()
        #expect(ledger.totals.presentedTwice == presentedTwice, sourceLocation: location)
        for tenant in tenants {
            let current = fake.currentRefreshTokens(organization: organization(of: tenant))
            let stored = try await storedRefreshToken(tenant)
            #expect(current.contains(stored), "the row of \(tenant) holds a dead token", sourceLocation: location)
            #expect(try await value("attempt_id is null", tenant, as: Bool.self), sourceLocation: location)
            #expect(try await value("state", tenant, as: String.self) == "active", sourceLocation: location)
        }
    }
}

func withVaultWorld<R>(
    _ change: (inout FakePitchlyConfiguration) -> Void = { _ in },
    _ body: (VaultWorld) async throws -> R
) async throws -> R {
    var configuration = FakePitchlyConfiguration()
    configuration.data.organizations = 60
    change(&configuration)
    let spoolPath = try TemporaryFolder.make()
    defer { try? FileManager.default.removeItem(atPath: spoolPath) }
    return try await withDatabase { database in
        try await FakePitchlyServer.withServer(configuration) { fake in
            try await PitchlyTransport.withTransport { transport in
                let log = CapturedLog()
                let oauth = OAuthClient(
                    configuration: try OAuthConfiguration(
                        origin: try PitchlyURL(fake.oauthOrigin, setting: "test"),
                        clientID: configuration.oauth.clientID,
                        clientSecret: Secret(configuration.oauth.clientSecret)
                    ),
                    transport: transport,
                    logger: log.logger("oauth")
                )
                let world = VaultWorld(
                    database: database,
                    fake: fake,
                    oauth: oauth,
                    spoolPath: spoolPath,
                    log: log,
                    pool: database.pool(size: 3)
                )
                let result = try await body(world)
                // Whatever a test does: no token in anything that was logged.
                let text = log.text + database.log.text
                for secret in fake.secrets where text.contains(secret) {
                    Issue.record("a secret of the fake was logged")
                }
                return result
            }
        }
    }
}

extension TenantID {
    static func numbered(_ number: Int) -> TenantID { TenantID(rawValue: "t\(number)")! }
}
