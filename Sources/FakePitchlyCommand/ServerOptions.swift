import ArgumentParser
import FakePitchly
import Logging

struct ServerOptions: ParsableArguments {
    @Option(help: "Address to listen on; 0.0.0.0 in a container.")
    var host = FakePitchlyConfiguration().host

    @Option(help: "Port; 0 takes a free one.")
    var port = 0

    @Option(help: "The port is written to this file once it is open.")
    var portFile: String?

    @Option(help: "Added to every answer of the token endpoint and the APIs.")
    var latencyMs = 0

    @Option(help: "POSTs to the token endpoint per second; beyond it 429.")
    var tokenRateLimit: Double?

    @Option(help: "GraphQL requests per second of one organisation; beyond it 429.")
    var apiRateLimit: Double?

    @Option(help: "trace, debug, info, notice, warning, error or critical; to standard error.", transform: Self.level)
    var logLevel: Logger.Level = .warning

    private static func level(_ text: String) throws -> Logger.Level {
        guard let level = Logger.Level(rawValue: text) else {
            let known = Logger.Level.allCases.map(\.rawValue).joined(separator: ", ")
            throw ValidationError("expected one of \(known), got \(text)")
        }
        return level
    }

    func validate() throws {
        guard (0...65_535).contains(port) else {
            throw ValidationError("expected --port to be 0 to 65535, got \(port)")
        }
        for limit in [tokenRateLimit, apiRateLimit].compactMap({ $0 }) where limit <= 0 {
            throw ValidationError("expected a rate limit above 0, got \(limit)")
        }
        guard latencyMs >= 0 else { throw ValidationError("expected --latency-ms to be 0 or more, got \(latencyMs)") }
    }

    func apply(to configuration: inout FakePitchlyConfiguration) {
        configuration.host = host
        configuration.port = port
        configuration.latency = .milliseconds(latencyMs)
        configuration.tokenRateLimit = tokenRateLimit.map { RateLimit(perSecond: $0) }
        configuration.apiRateLimit = apiRateLimit.map { RateLimit(perSecond: $0) }
    }
}
