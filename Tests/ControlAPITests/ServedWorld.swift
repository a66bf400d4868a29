import AsyncHTTPClient
import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import NIOCore
import NIOHTTP1
import Pitchly
import Postgres
import PrometheusText
import TestSupport
import Testing
import TokenVault

@testable import ControlAPI

/// A database, a fake Pitchly and a server over both, asked over real HTTP.
struct ServedWorld {
    let database: TestDatabase
    let fake: FakePitchlyServer
    let pool: PostgresPool
    let vault: TokenVault
    let keys: APIKeyStore
    let origin: String
    let log: CapturedLog
    let registry: PrometheusRegistry

    /// As the server was given, with other faces.
    func parts(faces: Set<ControlParts.Face>) -> ControlParts {
        ControlParts(
            pool: pool,
            queue: JobQueue(pool: pool, logger: log.logger("queue")),
            tenants: TenantStore(pool: pool),
            checks: [],
            metrics: { "" },
            faces: faces
        )
    }

    /// A new key.
    func key(_ scopes: APIScope..., tenant: TenantID? = nil, lifetime: Duration? = nil) async throws -> String {
        try await keys.create(name: "test", scopes: Set(scopes), tenant: tenant, lifetime: lifetime).key.reveal()
    }

    func addTenant(_ id: String) async throws -> TenantID {
        let tenant = try TenantID(id)
        try await TenantStore(pool: pool).add(tenant, name: "Name of \(id)")
        return tenant
    }

    @discardableResult
    func send(
        _ method: String,
        _ path: String,
        key: String? = nil,
        json: String? = nil,
        headers: [(String, String)] = [],
        body: [UInt8]? = nil
    ) async throws -> Answer {
        var request = HTTPClientRequest(url: path.hasPrefix("http") ? path : origin + path)
        request.method = .init(rawValue: method)
        if let key { request.headers.add(name: "Authorization", value: "Bearer \(key)") }
        if let json {
            request.headers.add(name: "Content-Type", value: "application/json")
            request.body = .bytes(ByteBuffer(string: json))
        }
        if let body { request.body = .bytes(ByteBuffer(bytes: body)) }
        for (name, value) in headers { request.headers.add(name: name, value: value) }
        let response = try await Self.client.execute(request, timeout: .seconds(60))
        let bytes = try await response.body.collect(upTo: 8 << 20)
        return Answer(
            status: Int(response.status.code),
            headers: response.headers.map { ($0.name.lowercased(), $0.value) },
            text: String(buffer: bytes)
        )
    }

    /// One for all tests, so that none has to be shut down: it follows no redirect, so that each
    /// answer is seen.
    private static let client: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.redirectConfiguration = .disallow
        configuration.httpVersion = .http1Only
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    struct Answer {
        let status: Int
        let headers: [(name: String, value: String)]
        let text: String

        func header(_ name: String) -> String? { headers.first { $0.name == name.lowercased() }?.value }

        /// The body as an object; fails the test if it is none.
        func object() throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any], "\(text)")
        }

        func code() throws -> String? { try object()["code"] as? String }
    }
}

/// Runs `body` with a server of its own on a free port, and stops it again.
func withServer(
    _ wanted: ControlSettings = ControlSettings(),
    checks: [ReadinessCheck] = [],
    withVault: Bool = true,
    pageTimeout: Duration? = nil,
    _ body: (ServedWorld) async throws -> Void
) async throws {
    try await withDatabase { database in
        // Known before the server starts: it is registered at the provider.
        let port = try FreePort.next()
        var settings = wanted
        settings.port = port
        settings.publicURL = "http://127.0.0.1:\(port)"
        var configuration = FakePitchlyConfiguration()
        configuration.oauth.redirectURIs = ["http://127.0.0.1:\(port)/oauth/callback"]
        configuration.oauth.autoApproves = true
        try await FakePitchlyServer.withServer(configuration) { fake in
            try await serve(settings, checks, withVault, pageTimeout, database, fake, body)
        }
    }
}

private func serve(
    _ settings: ControlSettings,
    _ checks: [ReadinessCheck],
    _ withVault: Bool,
    _ pageTimeout: Duration?,
    _ database: TestDatabase,
    _ fake: FakePitchlyServer,
    _ body: (ServedWorld) async throws -> Void
) async throws {
    let log = database.log
    let pool = database.pool(size: 6)
    let folder = FileManager.default.temporaryDirectory.appending(path: "leasehold-spool-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: folder) }
    try await PitchlyTransport.withTransport(PitchlyTransport.Configuration()) { transport in
        let oauth = try OAuthConfiguration(
            origin: try PitchlyURL(fake.oauthOrigin, setting: "test"),
            clientID: fake.configuration.oauth.clientID,
            clientSecret: Secret(fake.configuration.oauth.clientSecret)
        )
        var vaultSettings = VaultSettings()
        vaultSettings.exchangeLimit = 4
        let vault = try TokenVault(
            pool: pool,
            exchange: OAuthClient(configuration: oauth, transport: transport, logger: log.logger("oauth"))
                .tokenExchange,
            keys: FixedKeyProvider(try KeyRing(parsing: KeyRing.makeLine(id: "k1"), source: "test")),
            spool: try await DirectorySpool.open(path: folder.path),
            settings: vaultSettings,
            client: "client",
            logger: log.logger("vault")
        )
        try await vault.prepare()
        let registry = PrometheusRegistry(prefix: "leasehold", catalog: [])
        let parts = ControlParts(
            pool: pool,
            pagePool: pageTimeout.map { timeout in database.pool(size: 2) { $0.statementTimeout = timeout } },
            queue: JobQueue(pool: pool, logger: log.logger("queue")),
            tenants: TenantStore(pool: pool),
            vault: withVault ? vault : nil,
            authorizationURL: { redirectURI, state, verifier in
                oauth.authorizationURL(
                    redirectURI: redirectURI,
                    state: state,
                    proofKey: ProofKey(verifier: verifier.reveal())
                )
            },
            checks: checks,
            metrics: { registry.text() }
        )
        let server = ControlServer(settings: settings, parts: parts, logger: log.logger("http"))
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            defer { group.cancelAll() }
            let port = try await server.started()
            try await body(
                ServedWorld(
                    database: database,
                    fake: fake,
                    pool: pool,
                    vault: vault,
                    keys: APIKeyStore(pool: pool),
                    origin: "http://127.0.0.1:\(port)",
                    log: log,
                    registry: registry
                )
            )
        }
        await vault.shutDown()
    }
}
