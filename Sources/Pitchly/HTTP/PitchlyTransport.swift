import AsyncHTTPClient
import NIOCore

/// The HTTP connections to Pitchly: one client for token exchanges, which never reuses a connection
/// or follows a redirect, and one for GraphQL, which keeps connections alive.
package struct PitchlyTransport: Sendable {
    let exchanges: HTTPClient
    let queries: HTTPClient

    package struct Configuration: Sendable {
        /// TCP and TLS together. Default 10 s.
        package var connectTimeout: Duration = .seconds(10)
        /// Connections to the GraphQL host that are used at once. Default 16.
        package var connections = 16
        /// How long a GraphQL connection without a request is kept. Default 30 s.
        package var idleTimeout: Duration = .seconds(30)

        package init() {}
    }

    /// Runs `body` with open transport and closes every connection afterwards, whatever happened.
    package static func withTransport<Result>(
        _ configuration: Configuration = Configuration(),
        _ body: (PitchlyTransport) async throws -> Result
    ) async throws -> Result {
        let transport = PitchlyTransport(configuration)
        do {
            let result = try await body(transport)
            await transport.shutdown()
            return result
        } catch {
            await transport.shutdown()
            throw error
        }
    }

    private init(_ configuration: Configuration) {
        exchanges = HTTPClient(
            eventLoopGroup: HTTPClient.defaultEventLoopGroup,
            configuration: .exchanges(configuration)
        )
        queries = HTTPClient(eventLoopGroup: HTTPClient.defaultEventLoopGroup, configuration: .queries(configuration))
    }

    /// An error here says only that a connection was closed under way; there is nothing left to do.
    private func shutdown() async {
        try? await exchanges.shutdown()
        try? await queries.shutdown()
    }
}

extension HTTPClient.Configuration {
    fileprivate static func exchanges(_ configuration: PitchlyTransport.Configuration) -> Self {
        var result = Self(redirectConfiguration: .disallow)
        result.httpVersion = .http1Only
        result.timeout = .init(connect: .nanoseconds(configuration.connectTimeout.wholeNanoseconds))
        // The exchange has its own deadline; a refused connection is reported at once, not retried.
        result.connectionPool.retryConnectionEstablishment = false
        result.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = 256
        result.maximumUsesPerConnection = 1
        return result
    }

    fileprivate static func queries(_ configuration: PitchlyTransport.Configuration) -> Self {
        var result = Self(redirectConfiguration: .disallow)
        // A page is large and read as one stream: one connection each is faster than streams that
        // share the flow-control window of one HTTP/2 connection.
        result.httpVersion = .http1Only
        result.timeout = .init(connect: .nanoseconds(configuration.connectTimeout.wholeNanoseconds))
        result.connectionPool.retryConnectionEstablishment = false
        result.connectionPool.concurrentHTTP1ConnectionsPerHostSoftLimit = configuration.connections
        result.connectionPool.idleTimeout = .nanoseconds(configuration.idleTimeout.wholeNanoseconds)
        return result
    }
}

extension Duration {
    /// Rounded down; the largest that fits for durations of centuries.
    var wholeNanoseconds: Int64 {
        let (whole, atto) = components
        let (product, overflow) = whole.multipliedReportingOverflow(by: 1_000_000_000)
        return overflow ? .max : product &+ atto / 1_000_000_000
    }
}
