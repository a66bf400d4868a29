import Foundation
import HTTPTypes
import Hummingbird
import HummingbirdCore
import JobQueue
import LeaseholdCore
package import Logging
import NIOCore
import ServiceLifecycle
import Synchronization

/// The HTTP interface: API, probes, metrics and the page, on one port.
///
/// A request goes through ``Envelope`` (id, errors, log), its ``Route``, and ``Gate`` (key, limits).
/// On graceful shutdown nothing more is accepted, and requests under way are answered.
package final class ControlServer: Service {
    package let settings: ControlSettings
    private let parts: ControlParts
    private let logger: Logger
    private let start = ServerStart()

    package init(settings: ControlSettings, parts: ControlParts, logger: Logger) {
        self.settings = settings
        self.parts = parts
        self.logger = logger
    }

    /// Serves until a graceful shutdown.
    ///
    /// - Throws: ``ServerStartError`` if it cannot listen.
    package func run() async throws {
        // Hummingbird's own lines would be a second access log.
        var quiet = logger
        quiet.logLevel = .error
        let application = Application(
            router: makeRouter(),
            server: .http1(configuration: channelConfiguration),
            configuration: ApplicationConfiguration(
                address: .hostname(settings.host, port: settings.port),
                backlog: 1024,
                availableConnectionsDelegate: MaximumAvailableConnections(settings.connectionLimit)
            ),
            onServerRunning: { [self] channel in
                let port = channel.localAddress?.port ?? settings.port
                logger.notice(
                    "listening",
                    metadata: ["event": "http_listening", "host": "\(settings.host)", "port": "\(port)"]
                )
                start.finish(.success(port))
            },
            logger: quiet
        )
        do {
            try await application.run()
            start.finish(.failure(ServerStartError(settings, "it was stopped")))
        } catch {
            let problem = ServerStartError(settings, String(describing: error))
            guard start.finish(.failure(problem)) else { throw error }
            throw problem
        }
    }

    /// Waits until the socket is open.
    ///
    /// - Returns: its port.
    @discardableResult
    package func started() async throws -> Int { try await start.wait() }

    private var channelConfiguration: HTTP1Channel.Configuration {
        let (requestTime, idleTime) = (settings.requestTime, settings.idleTime)
        return HTTP1Channel.Configuration(
            additionalChannelHandlers: [RequestDeadline(requestTime: requestTime, idleTime: idleTime)],
            idleTimeout: TimeAmount(idleTime),
            httpDecoderConfiguration: .init(
                maxHeaderFieldSize: 16 * 1024,
                maxHeaderListSize: 32 * 1024,
                maxHeaderFieldCount: 100
            )
        )
    }

    private func makeRouter() -> Router<ControlContext> {
        let routes = Self.routes(parts: parts, settings: settings)
        let clock = ContinuousClock()
        let origin = clock.now
        let now: @Sendable () -> Duration = { origin.duration(to: clock.now) }
        let gate = Gate(
            authenticator: Authenticator(keys: APIKeyStore(pool: parts.pool), cookies: CookieNames(settings)),
            limiter: RateLimiter(rate: settings.ratePerSecond, burst: settings.rateBurst, now: now),
            strangers: RateLimiter(rate: 5, burst: 100, now: now),
            bodyLimit: settings.bodyLimit
        )
        let router = Router(context: ControlContext.self, options: .autoGenerateHeadEndpoints)
        router.add(
            middleware: Envelope(
                noRoute: NoRoute(routes: routes),
                showsPage: parts.faces.contains(.page),
                proxies: settings.proxies,
                logger: logger
            )
        )
        for route in routes {
            router.on(RouterPath(route.path), method: route.method) { request, context in
                try await gate.answer(route, request, context)
            }
        }
        return router
    }

    /// Every route there is, in the order of the OpenAPI document.
    static func routes(parts: ControlParts, settings: ControlSettings) -> [Route] {
        var routes = HealthRoutes(checks: parts.checks, metrics: parts.metrics).routes
        if parts.faces.contains(.api) {
            routes += DocumentRoutes().routes
            routes += JobRoutes(queue: parts.queue).routes
            routes += ManyRoutes(queue: parts.queue).routes
            routes += ActionRoutes(log: ActionLog(pool: parts.pool)).routes
            routes += TenantRoutes(pool: parts.pool, tenants: parts.tenants).routes
            routes += TokenRoutes(vault: parts.vault).routes
            routes += ConnectRoutes(parts: parts, settings: settings).routes
        }
        if parts.faces.contains(.page) { routes += PageRoutes(parts: parts, settings: settings).routes }
        return routes
    }
}

/// The socket could not be opened.
package struct ServerStartError: ExplainedError {
    private let address: String
    private let got: String

    init(_ settings: ControlSettings, _ got: String) {
        address = "\(settings.host):\(settings.port)"
        self.got = got
    }

    package var label: String { "cannot_listen" }
    package var message: String { "expected to listen on \(address), got: \(got)" }
    package var hint: String? { "leasehold serve --server-port 8081" }
}

/// The outcome of opening the socket, for everybody who waits for it.
private final class ServerStart: Sendable {
    private struct State {
        var outcome: Result<Int, any Error>?
        var waiting: [CheckedContinuation<Int, any Error>] = []
    }

    private let state = Mutex(State())

    /// False if there was an outcome already, which stands.
    @discardableResult
    func finish(_ outcome: Result<Int, any Error>) -> Bool {
        let waiting: [CheckedContinuation<Int, any Error>]? = state.withLock { state in
            guard state.outcome == nil else { return nil }
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting ?? [] { continuation.resume(with: outcome) }
        return waiting != nil
    }

    func wait() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let outcome { continuation.resume(with: outcome) }
        }
    }
}
