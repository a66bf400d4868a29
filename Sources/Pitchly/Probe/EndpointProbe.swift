import AsyncHTTPClient
import Foundation
package import LeaseholdCore
import NIOCore
import NIOHTTP1

/// What a token endpoint answers to a request that has nothing in it to accept: no client, no token,
/// no code. Nothing can be spent by it.
package struct EndpointProbe: Sendable {
    package enum Outcome: Sendable, Equatable {
        /// A JSON object with `error`, as RFC 6749 section 5.2 has it. Pitchly's own client takes any
        /// status, so any is proper.
        case refusesProperly(status: Int, error: String)
        /// 2xx without an error.
        case accepts(status: Int)
        case other(status: Int, contentType: String?)
        case unreachable(String)
    }

    package let url: String
    package let outcome: Outcome
    /// Seconds by which this machine's clock is ahead of the answer's Date header, which counts whole
    /// seconds; nil without one.
    package let skew: Double?

    /// - Parameter timeout: of the whole request.
    package static func tokenEndpoint(
        of origin: PitchlyURL,
        path: String = "/api/oauth/token",
        transport: PitchlyTransport,
        wallClock: any WallClock = SystemWallClock(),
        timeout: Duration = .seconds(15)
    ) async -> EndpointProbe {
        let url = origin.appending(path: path)
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "leasehold-doctor")
        request.body = .bytes(ByteBuffer(string: "grant_type=refresh_token"))
        do {
            let sent = wallClock.now()
            let answer = try await withDeadline(timeout, clock: ContinuousClock()) { [request] in
                let response = try await transport.exchanges.execute(request, deadline: .distantFuture)
                return try await HTTPAnswer(response, limit: 1 << 20)
            }
            let middle = sent.addingTimeInterval(wallClock.now().timeIntervalSince(sent) / 2)
            // The header leaves out the fraction of its second, on average half.
            let skew = answer.date.map { middle.timeIntervalSince($0) - 0.5 }
            return EndpointProbe(url: url, outcome: judge(answer), skew: skew)
        } catch is DeadlineExceeded {
            return EndpointProbe(url: url, outcome: .unreachable("no answer within \(timeout.seconds) s"), skew: nil)
        } catch {
            return EndpointProbe(url: url, outcome: .unreachable(transportFailureText(error)), skew: nil)
        }
    }

    private static func judge(_ answer: HTTPAnswer) -> Outcome {
        if let body = try? JSONDecoder().decode(Refusal.self, from: Data(answer.body)) {
            return .refusesProperly(status: answer.status, error: String(body.error.prefix(60)))
        }
        if (200..<300).contains(answer.status), answer.isJSON { return .accepts(status: answer.status) }
        return .other(status: answer.status, contentType: answer.contentType)
    }

    private struct Refusal: Decodable { let error: String }
}
