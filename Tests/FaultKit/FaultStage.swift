package import FakePitchly
package import Foundation
import LeaseholdCore
package import Logging
import Pitchly
import Postgres
package import TestSupport
import TokenVault

/// Everything a fault needs to happen: a server, a provider, workers, and somebody who connects
/// tenants. Each organisation of the provider is a tenant of the same name.
package struct FaultStage: Sendable {
    package struct Plan: Sendable {
        package var tenants = 1
        package var workers = 2
        /// Exchanges of one worker at once. With 1, what happens to a worker happens to one tenant.
        package var exchangesPerWorker = 1
        package var rotation = RotationMode.revokeFamilyOnReuse
        /// Of an access token; the late probe waits for its end. Default 3600.
        package var accessTokenSeconds = 3600
        /// Whether the access token may be exchanged for a new pair.
        package var allowsAccessTokenExchange = true
        /// Seconds that a worker's POST may take. Short, so that a fault need not be waited for long.
        package var deadline = 5
        /// What the workers are told of the provider's grace; 0 is none.
        package var graceSeconds = 0
        package var sabotage: Sabotage?
        /// Where the workers' spool is; nil is in the stage's folder.
        package var spoolFolder: String?

        package init() {}
    }

    package let server: PrivatePostgres
    package let database: FaultDatabase
    package let provider: FakePitchlyServer
    package let fleet: WorkerFleet
    let director: FaultDirector
    let watch = CredentialWatch()
    /// With the key ring `keys` and the spool `spool` of the workers.
    package let folder: URL
    let deadline: Duration
    private let vault: TokenVault
    let logger: Logger

    package var tenants: [String] { provider.organizationIDs }

    /// Builds it on `server`, runs `body`, and takes it down again.
    package static func withStage<Result: Sendable>(
        _ plan: Plan,
        on server: PrivatePostgres,
        logger: Logger,
        _ body: @Sendable (FaultStage) async throws -> Result
    ) async throws -> Result {
        // Inherited by the workers, to whom a full disk is then an error and not a death.
        signal(SIGXFSZ, SIG_IGN)
        signal(SIGPIPE, SIG_IGN)
        let folder = try FaultFolder.make()
        defer { try? FileManager.default.removeItem(at: folder) }
        var configuration = FakePitchlyConfiguration()
        configuration.data.organizations = plan.tenants
        configuration.data.largeOrganizations = 0
        configuration.oauth.rotation = plan.rotation
        configuration.oauth.accessTokenSeconds = plan.accessTokenSeconds
        let database = try await FaultDatabase.make(on: server, logger: logger)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(
                try await FakePitchlyServer.withServer(configuration) { provider in
                    try await PitchlyTransport.withTransport { transport in
                        try await FaultStage(plan, server, database, provider, transport, folder, logger)
                            .play(plan, logger, body)
                    }
                }
            )
        } catch {
            outcome = .failure(error)
        }
        await database.close()
        return try outcome.get()
    }

    private init(
        _ plan: Plan,
        _ server: PrivatePostgres,
        _ database: FaultDatabase,
        _ provider: FakePitchlyServer,
        _ transport: PitchlyTransport,
        _ folder: URL,
        _ logger: Logger
    ) async throws {
        self.server = server
        self.database = database
        self.provider = provider
        self.folder = folder
        self.logger = logger
        deadline = .seconds(plan.deadline)
        fleet = WorkerFleet(
            environment: Self.environment(plan, provider, folder),
            folder: folder,
            losesSpools: plan.sabotage?.losesSpools ?? false,
            server: server,
            providerPort: provider.port
        )
        director = FaultDirector(
            server: server,
            database: database,
            fleet: fleet,
            // A worker's send window, the POST, the vault's margin, and the provider's limit; a second to spare.
            intentLifetime: .seconds(3 + 5 + 1 + 1) + deadline,
            logger: logger
        )
        vault = try await Self.makeVault(database, provider, transport, folder, logger)
    }

    private static func environment(
        _ plan: Plan,
        _ provider: FakePitchlyServer,
        _ folder: URL
    ) -> [String: String] {
        let grace = plan.sabotage == .grace ? 60 : plan.graceSeconds
        return [
            "LEASEHOLD_WORKER_ROLES": "refresh",
            "LEASEHOLD_WORKER_EXCHANGES": "\(plan.exchangesPerWorker)",
            // Beside those of the exchanges: for what is due, for the spools, for settling again.
            "LEASEHOLD_DATABASE_POOL_SIZE": "2",
            "LEASEHOLD_PITCHLY_CLIENT_ID": provider.configuration.oauth.clientID,
            "LEASEHOLD_PITCHLY_CLIENT_SECRET": provider.configuration.oauth.clientSecret,
            "LEASEHOLD_PITCHLY_EXCHANGE_DEADLINE_SECONDS": "\(plan.deadline)",
            "LEASEHOLD_PITCHLY_SERVER_TIME_LIMIT_SECONDS": "1",
            "LEASEHOLD_PITCHLY_GRACE_SECONDS": "\(grace)",
            "LEASEHOLD_PITCHLY_ALLOWS_ACCESS_TOKEN_EXCHANGE": "\(plan.allowsAccessTokenExchange)",
            "LEASEHOLD_PITCHLY_EXCHANGES_PER_SECOND": "10000",
            "LEASEHOLD_KEYRING_FILE": folder.appendingPathComponent("keys").path,
            "LEASEHOLD_SPOOL_DIR": plan.spoolFolder ?? folder.appendingPathComponent("spool").path,
            "LEASEHOLD_LOG_FORMAT": "json",
            "LEASEHOLD_LOG_LEVEL": "debug",
            "LEASEHOLD_TEST_FAULT_WIRE": "stdin",
        ]
    }

    private static func makeVault(
        _ database: FaultDatabase,
        _ provider: FakePitchlyServer,
        _ transport: PitchlyTransport,
        _ folder: URL,
        _ logger: Logger
    ) async throws -> TokenVault {
        let oauth = provider.configuration.oauth
        let configuration = try OAuthConfiguration(
            origin: try PitchlyURL(provider.oauthOrigin, setting: "the fake's address"),
            clientID: oauth.clientID,
            clientSecret: Secret(oauth.clientSecret)
        )
        var settings = VaultSettings()
        settings.exchangeLimit = 4
        var profile = ProviderProfile()
        profile.exchangesPerSecond = 10_000
        profile.burst = 10_000
        return try TokenVault(
            pool: database.pool,
            exchange: OAuthClient(configuration: configuration, transport: transport, logger: logger).tokenExchange,
            keys: FileKeyProvider(path: folder.appendingPathComponent("keys").path),
            spool: try await DirectorySpool.open(path: folder.appendingPathComponent("operator-spool").path),
            profile: profile,
            settings: settings,
            client: "fault-director",
            logger: logger
        )
    }

    // MARK: the play

    private func play<Result: Sendable>(
        _ plan: Plan,
        _ logger: Logger,
        _ body: @Sendable (FaultStage) async throws -> Result
    ) async throws -> Result {
        try await vault.prepare()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run(database.pool) }
            let outcome: Swift.Result<Result, any Error>
            do {
                try await connectAll()
                for _ in 0..<plan.workers { group.addTask { await keepWorker(logger) } }
                if plan.sabotage == .memory { group.addTask { await cleanUp() } }
                outcome = .success(try await body(self))
            } catch {
                outcome = .failure(error)
            }
            await fleet.end()
            group.cancelAll()
            return try outcome.get()
        }
    }

    /// Before there are workers; they would exchange what is due at once.
    private func connectAll() async throws {
        try await database.relaxProvider()
        try await database.run(
            "insert into leasehold.tenant (tenant_id) select unnest('{\(tenants.joined(separator: ","))}'::text[])"
        )
        try await withThrowingDiscardingTaskGroup { group in
            for tenant in tenants { group.addTask { try await connect(tenant) } }
        }
    }

    /// A new grant of the provider, as a person gives one, and another one for two minutes: the faults of
    /// other tenants take the database away from this one too.
    func connect(_ tenant: String) async throws {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(120)
        while true {
            do {
                let grant = try provider.makeGrant(organization: tenant)
                try await vault.connect(
                    try TenantID(tenant),
                    with: .refreshToken(Secret(grant.refreshToken)),
                    organization: tenant
                )
                return
            } catch  where (error is VaultError || error is PostgresError) && clock.now < end {
                let standing = try? await database.standings(of: [tenant]).first
                logger.error(
                    "connects again",
                    metadata: [
                        "tenant": "\(tenant)", "error": "\(errorText(error))",
                        "class": "\(standing?.lastErrorClass ?? "-")",
                    ]
                )
                try await clock.sleep(for: .milliseconds(500))
            }
        }
    }

    /// One place in the fleet: a worker, and the next one when it has died.
    private func keepWorker(_ logger: Logger) async {
        while !Task.isCancelled {
            do {
                guard let worker = try await fleet.start() else { return }
                await director.follow(worker)
                await fleet.remove(worker.name)
            } catch {
                logger.error("no worker", metadata: ["error": "\(errorText(error))"])
                return
            }
        }
    }

    private func cleanUp() async {
        while (try? await ContinuousClock().sleep(for: .milliseconds(200))) != nil {
            try? await database.run(Sabotage.cleaner)
        }
    }

    // MARK: logs

    /// Whether any token, code or secret of the provider stands in a log of a worker or the server.
    package func secretsAreLogged() async throws -> Bool {
        try await logsContain(anyOf: provider.secrets)
    }

    package func logsContain(anyOf texts: [String]) async throws -> Bool {
        let list = folder.appendingPathComponent("sought-\(UUID().uuidString)")
        try Data(texts.joined(separator: "\n").utf8).write(to: list)
        defer { try? FileManager.default.removeItem(at: list) }
        let logs = await fleet.logs + Set([server.logFile, director.server.logFile])
        let exit = try await ChildProcess(["grep", "-q", "-F", "-f", list.path] + logs).exit()
        guard exit == .status(0) || exit == .status(1) else {
            throw TestSupportError(label: "no_search", message: "expected grep to search the logs, got \(exit)")
        }
        return exit == .status(0)
    }
}
