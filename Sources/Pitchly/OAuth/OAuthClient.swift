import AsyncHTTPClient
package import LeaseholdCore
package import Logging
import NIOCore
import NIOHTTP1

/// Makes the one POST of a token exchange and says exactly what became of it.
///
/// A fresh HTTP/1.1 connection, client id and secret in the body, no redirect, no retry in any
/// layer, a total deadline. Nothing of the reply is interpreted here, because the vault stores its
/// bytes before anybody looks at them.
package struct OAuthClient: Sendable {
    package let configuration: OAuthConfiguration
    private let transport: PitchlyTransport
    private let clock: any Clock<Duration>
    private let logger: Logger

    package init(
        configuration: OAuthConfiguration,
        transport: PitchlyTransport,
        clock: any Clock<Duration> = ContinuousClock(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.transport = transport
        self.clock = clock
        self.logger = logger
    }

    /// What the vault is given.
    package var tokenExchange: TokenExchange {
        { grant, deadline in await exchange(grant, deadline: deadline) }
    }

    /// One POST. Never throws and never ends early: cancelling the calling task changes nothing.
    ///
    /// `notSent` is certain: the token is in the body, and the body is handed out only to an
    /// established connection (after TLS), at most once, and never after the verdict. As soon as it
    /// was handed out, a failure is `noReply`. A reply that ended early, was longer than the limit
    /// or was still coming at the deadline is `answered(complete: false)` with the bytes that came.
    package func exchange(_ grant: TokenGrant, deadline: Duration) async -> TokenEndpointReply {
        // Unstructured on purpose: a cancelled caller must not abort a POST that spends a token.
        // The task is awaited here and bounded by the deadline, so it cannot be left behind.
        await Task { await attempt(grant, deadline: deadline) }.value
    }

    private func attempt(_ grant: TokenGrant, deadline: Duration) async -> TokenEndpointReply {
        let attempt = ExchangeAttempt(body: configuration.form(for: grant).text, limit: configuration.replyLimit)
        let request = makeRequest(configuration.url(for: grant), body: attempt)
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await perform(request, recording: attempt) }
            group.addTask {
                do {
                    try await sleep(past: deadline)
                    attempt.failed("no answer within \(deadline.seconds) s")
                } catch {
                    // The POST ended first and cancelled the wait.
                }
            }
            await group.next()
            group.cancelAll()
        }
        let reply = attempt.verdict()
        logger.debug("oauth_exchange", metadata: reply.metadata(grant: grant, host: configuration.origin.host))
        return reply
    }

    /// Returns when nothing more is worth waiting for. A process that stood still past the deadline, with its
    /// machine stopped or asleep, waits a moment longer: the answer, and with it the only successor of the
    /// token, may have come meanwhile and lie in the socket, unread.
    private func sleep(past deadline: Duration) async throws {
        let timeline = Timeline(clock)
        try await timeline.sleep(for: deadline)
        if timeline.now() > deadline + .seconds(1) { try await timeline.sleep(for: .seconds(2)) }
    }

    private func makeRequest(_ url: String, body attempt: ExchangeAttempt) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/x-www-form-urlencoded")
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "leasehold")
        request.headers.add(name: "Connection", value: "close")
        request.body = .stream(ReleasedBody(attempt: attempt), length: .known(Int64(attempt.bodyLength)))
        return request
    }

    private func perform(_ request: HTTPClientRequest, recording attempt: ExchangeAttempt) async {
        do {
            let response = try await transport.exchanges.execute(request, deadline: .distantFuture)
            attempt.received(
                status: Int(response.status.code),
                contentType: response.headers.first(name: "Content-Type"),
                retryAfter: response.headers.first(name: "Retry-After")
            )
            for try await part in response.body {
                guard attempt.received(part) else {
                    attempt.failed("reply longer than \(configuration.replyLimit) bytes")
                    return
                }
            }
            attempt.completed()
        } catch {
            attempt.failed(transportFailureText(error))
        }
    }
}

extension TokenEndpointReply {
    /// Without anything of the body.
    fileprivate func metadata(grant: TokenGrant, host: String) -> Logger.Metadata {
        var metadata: Logger.Metadata = ["grant": "\(grant.name)", "host": "\(host)"]
        switch self {
        case .notSent(let reason):
            metadata["outcome"] = "not_sent"
            metadata["reason"] = "\(reason)"
        case .noReply(let reason):
            metadata["outcome"] = "no_reply"
            metadata["reason"] = "\(reason)"
        case .answered(let status, _, _, let body, let complete):
            metadata["outcome"] = "answered"
            metadata["status"] = "\(status)"
            metadata["bytes"] = "\(body.count)"
            metadata["complete"] = "\(complete)"
        }
        return metadata
    }
}
