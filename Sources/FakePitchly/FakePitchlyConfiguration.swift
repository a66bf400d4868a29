package import Foundation

/// Everything about a fake that can be chosen; the defaults behave as Pitchly's documents say.
package struct FakePitchlyConfiguration: Sendable {
    /// Address to listen on; its own links always say 127.0.0.1. Default 127.0.0.1.
    package var host = "127.0.0.1"
    /// 0 takes a free one. Default 0.
    package var port = 0
    /// Of the data and the ids; tokens are always random. Default 1.
    package var seed: UInt64 = 1
    package var data = DataShape()
    package var oauth = OAuthBehaviour()
    package var api = APISettings()
    /// For POSTs to the token endpoint of all organisations together; default none. Beyond it: 429.
    package var tokenRateLimit: RateLimit?
    /// For GraphQL requests of one organisation; default none. Beyond it: 429.
    package var apiRateLimit: RateLimit?
    /// Added to every answer of the token endpoint and the APIs; default zero.
    package var latency = Duration.zero
    /// The fake's time of day, to which ``FakeClock/advance(by:)`` adds.
    package var clock: @Sendable () -> Date = { Date() }

    package init() {}
}

/// Why a fake did not start.
package struct FakePitchlyError: Error, Sendable, CustomStringConvertible {
    package let description: String
}
