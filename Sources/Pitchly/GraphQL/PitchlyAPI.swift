package import LeaseholdCore
package import Logging

/// One GraphQL endpoint with what all tenants share of it: connections, dialect, pace.
package struct PitchlyAPI: Sendable {
    package let configuration: Configuration
    package let dialect: any PitchlyDialect
    package let governor: RateGovernor
    let transport: PitchlyTransport
    let ambience: Ambience

    package struct Configuration: Sendable {
        /// The GraphQL endpoint.
        package let url: PitchlyURL
        /// One request with its whole answer. Default 60 s.
        package var timeout: Duration = .seconds(60)
        /// Bytes of one answer. Default 32 MiB.
        package var answerLimit = 32 << 20
        /// How often a passing failure is repeated before it is reported. Default 2.
        package var repeats = 2
        /// The first repeat comes at a random time up to this, each next up to twice the time
        /// before. Default 300 ms.
        package var repeatDelay: Duration = .milliseconds(300)

        package init(url: PitchlyURL) { self.url = url }
    }

    /// Time and chance.
    package struct Ambience: Sendable {
        let clock: any Clock<Duration>
        let wallClock: any WallClock
        let random: RandomSource

        package init(
            clock: any Clock<Duration> = ContinuousClock(),
            wallClock: any WallClock = SystemWallClock(),
            random: RandomSource = RandomSource()
        ) {
            self.clock = clock
            self.wallClock = wallClock
            self.random = random
        }
    }

    package init(
        configuration: Configuration,
        dialect: any PitchlyDialect,
        transport: PitchlyTransport,
        governor: RateGovernor = RateGovernor(),
        ambience: Ambience = Ambience()
    ) {
        self.configuration = configuration
        self.dialect = dialect
        self.transport = transport
        self.governor = governor
        self.ambience = ambience
    }

    /// - Parameter logger: one that carries the tenant.
    package func client(for tenant: TenantID, tokens: any AccessTokenProvider, logger: Logger) -> PitchlyClient {
        PitchlyClient(api: self, tenant: tenant, tokens: tokens, logger: logger)
    }
}
