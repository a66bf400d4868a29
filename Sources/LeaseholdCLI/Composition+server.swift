import ControlAPI
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import PrometheusText
import ServiceLifecycle
import TokenVault

extension Composition {
    /// Serves HTTP until a signal; requests under way are answered.
    func runServer() async throws {
        let roles = Set(settings.list("server.roles"))
        let registry = Metering.start()
        let pool = makePool(size: settings.number("databasePoolSize"))
        try await SchemaMigrator(pool: pool, logger: logger).check()
        let pagePool = roles.contains("page") ? makePagePool() : nil
        let pools: [any Service] = [pool, pagePool].compactMap(\.self)
        func serve(_ vault: TokenVault?) async throws {
            try await run(
                pools + [server(pool: pool, pagePool: pagePool, vault: vault, roles: roles, registry: registry)]
            )
        }
        guard roles.contains("tokens") else { return try await serve(nil) }
        try await withTransport { transport in
            let vault = try await makeVault(pool: pool, transport: transport, mayExchange: true)
            try await vault.prepare()
            try await serve(vault)
            await vault.shutDown()
        }
    }

    /// Apart from the API's, so that people who look at heavy pages keep no program waiting.
    private func makePagePool() -> PostgresPool {
        makePool(size: min(4, settings.number("databasePoolSize")), statementTimeout: .seconds(5))
    }

    private func server(
        pool: PostgresPool,
        pagePool: PostgresPool?,
        vault: TokenVault?,
        roles: Set<String>,
        registry: PrometheusRegistry
    ) throws -> ControlServer {
        let parts = ControlParts(
            pool: pool,
            pagePool: pagePool,
            queue: JobQueue(pool: pool, logger: logger),
            tenants: TenantStore(pool: pool),
            vault: vault,
            authorizationURL: vault == nil ? nil : try authorizationURL(),
            checks: checks(pool: pool, vault: vault),
            metrics: { registry.text() },
            faces: Set(roles.compactMap(ControlParts.Face.init(rawValue:)))
        )
        return ControlServer(settings: serverSettings, parts: parts, logger: logger)
    }

    /// Of `leasehold serve`.
    var serverSettings: ControlSettings {
        var server = ControlSettings()
        server.host = settings.text("server.host") ?? server.host
        server.port = settings.number("server.port")
        server.publicURL = settings.text("server.publicURL").map { url in
            url.hasSuffix("/") ? String(url.dropLast()) : url
        }
        server.proxies = TrustedProxies(
            settings.list("server.trustedProxies").compactMap { AddressRange($0) },
            header: settings.text("server.forwardedHeader").flatMap(TrustedProxies.Header.init(rawValue:))
                ?? .xForwardedFor
        )
        server.bodyLimit = settings.number("server.bodyLimitBytes")
        server.requestTime = .seconds(settings.number("server.requestSeconds"))
        server.ratePerSecond = Double(settings.number("server.ratePerSecond"))
        server.rateBurst = server.ratePerSecond * 2
        return server
    }

    /// Probes and metrics of a worker; nil where no port is set.
    func probes(pool: PostgresPool, vault: TokenVault, registry: PrometheusRegistry) -> ControlServer? {
        let port = settings.number("worker.probePort")
        guard port > 0 else { return nil }
        var server = ControlSettings()
        server.host = settings.text("server.host") ?? server.host
        server.port = port
        let parts = ControlParts(
            pool: pool,
            queue: JobQueue(pool: pool, logger: logger),
            tenants: TenantStore(pool: pool),
            checks: checks(pool: pool, vault: vault),
            metrics: { registry.text() },
            faces: []
        )
        return ControlServer(settings: server, parts: parts, logger: logger)
    }

    private func authorizationURL() throws -> ControlParts.AuthorizationURL {
        let oauth = try oauthConfiguration()
        return { redirectURI, state, verifier in
            oauth.authorizationURL(
                redirectURI: redirectURI,
                state: state,
                proofKey: ProofKey(verifier: verifier.reveal())
            )
        }
    }

    private func checks(pool: PostgresPool, vault: TokenVault?) -> [ReadinessCheck] {
        let migrator = SchemaMigrator(pool: pool, logger: logger)
        var checks = [ReadinessCheck("database and schema") { try await migrator.check() }]
        if let vault {
            checks.append(ReadinessCheck("key ring") { try await vault.checkKeyRing() })
            checks.append(ReadinessCheck("spool") { try await vault.checkSpool() })
        }
        return checks
    }
}
