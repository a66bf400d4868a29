package import FakePitchly
package import Foundation
import LeaseholdCore
package import Logging
import Pitchly
import Postgres
package import TestSupport
import TokenVault
package import WorkerControl

/// Everything a fault needs to happen: a database, a provider, workers, and somebody who connects
/// tenants.
package struct FaultStage: Sendable {
    package struct Plan: Sendable {
        package var tenants = 1
        package var workers = 2
        package var rotation = RotationMode.revokeFamilyOnReuse
        /// Of an access token; the late probe waits for its end. Default 3600.
        package var accessTokenSeconds = 3600
        /// Whether the access token may be exchanged for a new pair.
        package var allowsAccessTokenExchange = true
        package var graceSeconds: Double?

        package init() {}
    }

    package let database: FaultDatabase
    package let provider: FakePitchlyServer
    package let fleet: WorkerFleet
    package let director: FaultDirector
    package let watch: CredentialWatch
    package let options: WorkerOptions
    package let folder: URL
    private let vault: TokenVault

    package var tenants: [String] { provider.organizationIDs }

    /// Builds it on `server`, runs `body`, and takes it down again.
    package static func withStage<Result: Sendable>(
        _ plan: Plan,
        on server: PrivatePostgres,
        logger: Logger,
        _ body: @Sendable (FaultStage) async throws -> Result
    ) async throws -> Result {
        signal(SIGPIPE, SIG_IGN)
        let folder = try makeFolder()
        defer { try? FileManager.default.removeItem(at: folder) }
        let name = "fault_" + folder.lastPathComponent.suffix(12).lowercased().replacing("-", with: "_")
        let database = try await FaultDatabase.make(on: server, name: name, logger: logger)
        var configuration = FakePitchlyConfiguration()
        configuration.data.organizations = plan.tenants
        configuration.data.largeOrganizations = 0
        configuration.oauth.rotation = plan.rotation
        configuration.oauth.accessTokenSeconds = plan.accessTokenSeconds
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(
                try await FakePitchlyServer.withServer(configuration) { provider in
                    try await PitchlyTransport.withTransport { transport in
                        let stage = try await FaultStage(plan, database, provider, transport, folder, logger)
                        return try await stage.play(plan, logger, body)
                    }
                }
            )
        } catch {
            outcome = .failure(error)
        }
        await database.pool.close()
        return try outcome.get()
    }

    private init(
        _ plan: Plan,
        _ database: FaultDatabase,
        _ provider: FakePitchlyServer,
        _ transport: PitchlyTransport,
        _ folder: URL,
        _ logger: Logger
    ) async throws {
        var options = WorkerOptions(
            databaseURL: "",
            origin: "",
            clientID: provider.configuration.oauth.clientID,
            clientSecret: provider.configuration.oauth.clientSecret,
            spoolFolder: folder.appendingPathComponent("spool").path,
            keyFile: folder.appendingPathComponent("keys").path
        )
        options.allowsAccessTokenExchange = plan.allowsAccessTokenExchange
        options.graceSeconds = plan.graceSeconds
        self.options = options
        self.database = database
        self.provider = provider
        self.folder = folder
        watch = CredentialWatch()
        fleet = WorkerFleet(
            options: options,
            folder: folder,
            server: database.server,
            databaseName: database.name,
            providerPort: provider.port
        )
        director = FaultDirector(database: database, fleet: fleet, options: options, logger: logger)
        vault = try await Self.makeVault(options, database, provider, transport, folder, logger)
    }

    private func play<Result: Sendable>(
        _ plan: Plan,
        _ logger: Logger,
        _ body: @Sendable (FaultStage) async throws -> Result
    ) async throws -> Result {
        try await vault.prepare()
        try await database.relaxProvider()
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { await watch.run(database.pool) }
            for _ in 0..<plan.workers { group.addTask { await keepWorker(logger) } }
            let outcome: Swift.Result<Result, any Error>
            do {
                for tenant in tenants { try await connect(tenant, isNew: true) }
                outcome = .success(try await body(self))
            } catch {
                outcome = .failure(error)
            }
            await fleet.end()
            group.cancelAll()
            return try outcome.get()
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

    /// A new grant of the provider, as a person gives one.
    package func connect(_ tenant: String, isNew: Bool = false) async throws {
        if isNew { try await database.run("insert into leasehold.tenant (tenant_id) values ('\(tenant)')") }
        let grant = try provider.makeGrant(organization: tenant)
        try await vault.connect(
            try TenantID(tenant),
            with: .refreshToken(Secret(grant.refreshToken)),
            organization: tenant
        )
    }

    /// What the workers have written to their logs.
    package func logText() async -> String {
        await fleet.logs.map { (try? String(contentsOf: $0, encoding: .utf8)) ?? "" }.joined()
    }

    private static func makeVault(
        _ options: WorkerOptions,
        _ database: FaultDatabase,
        _ provider: FakePitchlyServer,
        _ transport: PitchlyTransport,
        _ folder: URL,
        _ logger: Logger
    ) async throws -> TokenVault {
        let configuration = try OAuthConfiguration(
            origin: try PitchlyURL(provider.oauthOrigin, setting: "the fake's address"),
            clientID: options.clientID,
            clientSecret: Secret(options.clientSecret)
        )
        var settings = VaultSettings()
        settings.exchangeLimit = 2
        return try TokenVault(
            pool: database.pool,
            exchange: OAuthClient(configuration: configuration, transport: transport, logger: logger).tokenExchange,
            keys: FileKeyProvider(path: options.keyFile),
            spool: try await DirectorySpool.open(path: folder.appendingPathComponent("operator-spool").path),
            settings: settings,
            client: "fault-tests",
            logger: logger
        )
    }

    private static func makeFolder() throws -> URL {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent("lh-fault-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let keys = folder.appendingPathComponent("keys").path
        let line = try KeyRing.makeLine(id: "k1")
        guard
            FileManager.default.createFile(
                atPath: keys,
                contents: Data(line.utf8),
                attributes: [.posixPermissions: 0o600]
            )
        else {
            throw TestSupportError(label: "no_key_file", message: "expected \(keys) to be writable", hint: nil)
        }
        return folder
    }
}
