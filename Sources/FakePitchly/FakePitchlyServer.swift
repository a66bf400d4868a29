import HummingbirdCore
package import Logging
import NIOCore
import NIOPosix
import ServiceLifecycle
import Synchronization

/// An imitation of Pitchly over real HTTP on loopback, written from the public documents: consent
/// page, token endpoint with a ledger, both generations of the GraphQL API over seeded data, and
/// faults on demand. What a test does in-process through the properties here, another program does
/// under ``FakePaths/control``.
///
/// - `+routes`: what answers which path
/// - `+inspect`: ledger, tokens, data
/// - `ControlPlane`: the same over HTTP
package final class FakePitchlyServer: Service {
    package let configuration: FakePitchlyConfiguration
    package let clock: FakeClock
    package let faults = FaultPlan()
    package let requests = RequestLog()

    let world: FakeWorld
    let authority: TokenAuthority
    let tokenEndpoint: TokenEndpoint
    let authorizePage: AuthorizePage
    let platform: GraphQLEndpoint
    let v2: GraphQLEndpoint
    private let connections = ConnectionRegistry()
    private let logger: Logger
    private let start = StartSignal()

    /// - Throws: a schema that is broken; never with the ones carried here.
    package init(_ configuration: FakePitchlyConfiguration = .init(), logger: Logger? = nil) throws {
        self.configuration = configuration
        self.logger = logger ?? Logger(label: "fake-pitchly") { _ in SwiftLogNoOpLogHandler() }
        clock = FakeClock(base: configuration.clock)
        world = FakeWorld(shape: configuration.data, seed: configuration.seed)
        authority = TokenAuthority(behaviour: configuration.oauth, clock: clock)
        tokenEndpoint = TokenEndpoint(
            behaviour: configuration.oauth,
            authority: authority,
            world: world,
            faults: faults,
            limiter: configuration.tokenRateLimit.map(RateLimiter.init),
            latency: configuration.latency,
            log: requests
        )
        authorizePage = AuthorizePage(behaviour: configuration.oauth, authority: authority, world: world)
        let limiter = configuration.apiRateLimit.map(RateLimiter.init)
        let (world, authority, settings) = (world, authority, configuration.api)
        let makeEndpoint = { [faults, requests] (dialect: any GraphQLDialect) in
            GraphQLEndpoint(
                dialect: dialect,
                authority: authority,
                faults: faults,
                limiter: limiter,
                latency: configuration.latency,
                log: requests,
                introspection: settings.introspection
            )
        }
        platform = makeEndpoint(
            PlatformAPI(
                engine: try GraphQLEngine(sdl: settings.platformSchema ?? APISettings.carriedPlatformSchema),
                world: world,
                authority: authority,
                settings: settings
            )
        )
        v2 = makeEndpoint(
            V2API(
                engine: try GraphQLEngine(sdl: settings.v2Schema ?? APISettings.carriedV2Schema),
                world: world,
                authority: authority,
                settings: settings
            )
        )
    }

    /// Serves until the surrounding task is cancelled or a graceful shutdown begins; both end open
    /// connections at once.
    package func run() async throws {
        // Hummingbird logs the cancellation that ends it as an error; what is wrong at the start is thrown.
        var quiet = logger
        quiet.logLevel = .critical
        let server = Server(
            childChannelSetup: HTTP1Channel { [self] request, writer, channel in
                try await respond(to: request, writer, on: channel)
            },
            configuration: ServerConfiguration(
                address: .hostname(configuration.host, port: configuration.port),
                backlog: 1024
            ),
            onServerRunning: { [start] channel in start.finish(.success(channel.localAddress?.port ?? 0)) },
            eventLoopGroup: MultiThreadedEventLoopGroup.singleton,
            logger: quiet
        )
        do {
            try await withTaskCancellationHandler {
                try await cancelWhenGracefulShutdown { try await server.run() }
            } onCancel: {
                connections.closeAll()
            }
        } catch {
            let problem = FakePitchlyError(
                description:
                    "expected port \(configuration.port) of \(configuration.host) to be free, got: \(error)"
            )
            start.finish(.failure(problem))
            guard Task.isCancelled || error is CancellationError else { throw problem }
        }
        connections.closeAll()
    }

    /// Waits until the socket is open.
    ///
    /// - Throws: ``FakePitchlyError`` where it could not be opened.
    @discardableResult
    package func started() async throws -> Int { try await start.wait() }

    /// The port, 0 before ``started()`` has returned.
    package var port: Int { start.port }

    /// `http://127.0.0.1:…`, the base of `/oauth/authorize` and `/api/oauth/token`.
    package var oauthOrigin: String { "http://127.0.0.1:\(port)" }
    package var tokenURL: String { oauthOrigin + FakePaths.token }
    /// The GraphQL endpoint of today's API.
    package var apiURL: String { oauthOrigin + FakePaths.graphQL }
    /// The GraphQL endpoint of the older API.
    package var v2URL: String { oauthOrigin + FakePaths.v2GraphQL }

    /// On the global executor throughout, because a writer must not change hands between two.
    @concurrent
    private func respond(to request: Request, _ writer: consuming ResponseWriter, on channel: any Channel) async throws
    {
        let (connection, number) = connections.note(channel)
        let fakeRequest = try await FakeRequest(request, connection: connection, requestOnConnection: number)
        var reply = try await route(fakeRequest)
        // By the fake's clock, so that a client that compares it with its own can be tried.
        reply.headers.append(("date", HTTPDate.text(milliseconds: clock.now)))
        do {
            try await reply.send(writer, on: channel)
        } catch let end as ConnectionEnded {
            throw end
        } catch {
            reply.onLost?()
            throw error
        }
    }

    /// Starts a fake, runs `body` with it, and stops it again.
    package static func withServer<Result>(
        _ configuration: FakePitchlyConfiguration = .init(),
        logger: Logger? = nil,
        _ body: (FakePitchlyServer) async throws -> Result
    ) async throws -> Result {
        let server = try FakePitchlyServer(configuration, logger: logger)
        return try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask { try await server.run() }
            defer { group.cancelAll() }
            try await server.started()
            return try await body(server)
        }
    }
}

/// The outcome of opening the socket, for everybody who waits for it.
private final class StartSignal: Sendable {
    private struct State {
        var outcome: Result<Int, FakePitchlyError>?
        var waiting: [CheckedContinuation<Int, any Error>] = []
    }

    private let state = Mutex(State())

    var port: Int { state.withLock { (try? $0.outcome?.get()) ?? 0 } }

    /// Only the first outcome counts.
    func finish(_ outcome: Result<Int, FakePitchlyError>) {
        let waiting = state.withLock { state in
            guard state.outcome == nil else { return [CheckedContinuation<Int, any Error>]() }
            state.outcome = outcome
            defer { state.waiting = [] }
            return state.waiting
        }
        for continuation in waiting { continuation.resume(with: outcome.mapError { $0 as any Error }) }
    }

    func wait() async throws -> Int {
        try await withCheckedThrowingContinuation { continuation in
            let outcome = state.withLock { state in
                if state.outcome == nil { state.waiting.append(continuation) }
                return state.outcome
            }
            if let outcome { continuation.resume(with: outcome.mapError { $0 as any Error }) }
        }
    }
}
