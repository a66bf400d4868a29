import Foundation
import LeaseholdCore
import Logging
import Pitchly
import Postgres
import ServiceLifecycle
import TokenVault
import UnixSignals
import WorkerControl

/// The vault and its refresh service in a process of their own, as a worker with the role `refresh`
/// runs them, with a wire at every step.
@main
struct VaultWorker {
    static func main() async {
        let line = FaultLine()
        line.listen()
        do {
            try await run(try WorkerOptions.current(), line)
        } catch {
            line.say(.failed(errorText(error)))
            exit(1)
        }
    }

    private static func run(_ options: WorkerOptions, _ line: FaultLine) async throws {
        LoggingSystem.bootstrap(StreamLogHandler.standardError)
        var logger = Logger(label: "vault-worker")
        logger.logLevel = .debug
        let pool = PostgresPool(
            configuration: PostgresConfiguration(url: options.databaseURL, applicationName: "vault-worker-\(getpid())"),
            size: options.exchangeLimit + 4,
            logger: logger
        )
        let spool = FailingSpool(
            base: try await DirectorySpool.open(path: options.spoolFolder),
            isFull: { line.takeSpoolFailure($0) }
        )
        let configuration = try OAuthConfiguration(
            origin: try PitchlyURL(options.origin, setting: "origin"),
            clientID: options.clientID,
            clientSecret: Secret(options.clientSecret)
        )
        try await PitchlyTransport.withTransport { transport in
            let client = OAuthClient(configuration: configuration, transport: transport, logger: logger)
            try await serve(options, line, pool, spool, client.tokenExchange, logger)
        }
    }

    private static func serve(
        _ options: WorkerOptions,
        _ line: FaultLine,
        _ pool: PostgresPool,
        _ spool: FailingSpool,
        _ exchange: @escaping TokenExchange,
        _ logger: Logger
    ) async throws {
        let hook: VaultFaultHook = { await line.reach($0, $1) }
        let vault = try TokenVault(
            pool: pool,
            exchange: exchange,
            keys: FileKeyProvider(path: options.keyFile),
            spool: spool,
            profile: options.profile,
            settings: options.settings,
            client: "fault-tests",
            logger: logger,
            faultHook: options.isWatched ? hook : nil
        )
        try await vault.prepare()
        let group = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: pool), .init(service: RefreshService(vault: vault, logger: logger)),
                ],
                gracefulShutdownSignals: [.sigterm],
                logger: logger
            )
        )
        line.say(.ready)
        try await group.run()
    }
}

extension WorkerOptions {
    var profile: ProviderProfile {
        var profile = ProviderProfile()
        profile.deadline = .seconds(deadlineSeconds)
        profile.serverTimeLimit = .seconds(serverTimeLimitSeconds)
        profile.grace = graceSeconds.map { .seconds($0) }
        profile.allowsAccessTokenExchange = allowsAccessTokenExchange
        profile.exchangesPerSecond = 10_000
        profile.burst = 10_000
        return profile
    }

    var settings: VaultSettings {
        var settings = VaultSettings()
        settings.exchangeLimit = exchangeLimit
        settings.sendWindow = .seconds(sendWindowSeconds)
        settings.claimTime = .seconds(1)
        settings.idleRecheck = .seconds(3600)
        settings.replayInterval = .milliseconds(500)
        settings.pollInterval = .milliseconds(250)
        settings.spoolPatience = .seconds(spoolPatienceSeconds)
        return settings
    }
}
