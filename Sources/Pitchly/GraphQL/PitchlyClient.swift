import AsyncHTTPClient
package import LeaseholdCore
package import Logging
import Metrics
import NIOCore
import NIOHTTP1

/// Sends GraphQL operations for one tenant and gives usable answers or a ``PitchlyError``.
///
/// GraphQL answers 200 also when it refuses; the answers are judged by their content. A refused
/// token is replaced once, a passing failure is repeated a little later; both only for reading
/// operations, which may be sent again.
package struct PitchlyClient: Sendable {
    let configuration: Configuration
    private let transport: PitchlyTransport
    private let tokens: any AccessTokenProvider
    private let tokenVariable: String?
    private let ambience: Ambience
    private let logger: Logger

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
        transport: PitchlyTransport,
        tokens: any AccessTokenProvider,
        tokenVariable: String?,
        ambience: Ambience = Ambience(),
        logger: Logger
    ) {
        self.configuration = configuration
        self.transport = transport
        self.tokens = tokens
        self.tokenVariable = tokenVariable
        self.ambience = ambience
        self.logger = logger
    }

    /// - Throws: ``PitchlyError``, what the token provider throws, or CancellationError.
    package func read<Answer>(_ operation: GraphQLOperation<Answer>) async throws -> Answer {
        var bound = configuration.repeatDelay
        for _ in 0..<configuration.repeats {
            do {
                return try await perform(operation)
            } catch let error as PitchlyError
                where error.isTransient && error.kind != .throttled && error.retryAfter == nil
            {
                logger.debug("pitchly_repeat", metadata: ["operation": "\(operation.name)", "error": "\(error)"])
                try await ambience.clock.sleep(for: bound * ambience.random.uniform(in: 0...1))
                bound *= 2
            }
        }
        return try await perform(operation)
    }

    /// One request, sent a second time only if the token was refused and a newer one could be had.
    func perform<Answer>(_ operation: GraphQLOperation<Answer>) async throws -> Answer {
        let first = try await tokens.accessToken(replacing: nil)
        do {
            return try await measured(operation, first.token)
        } catch let error as PitchlyError where error.kind == .unauthenticated {
            let second = try await tokens.accessToken(replacing: first.generation)
            guard second.generation != first.generation else { throw error }
            return try await measured(operation, second.token)
        }
    }

    private func measured<Answer>(_ operation: GraphQLOperation<Answer>, _ token: Secret) async throws -> Answer {
        let start = ContinuousClock.now
        var outcome = "ok"
        defer {
            Metrics.Timer(
                label: "pitchly_request_seconds",
                dimensions: [("operation", operation.name), ("outcome", outcome)]
            ).recordSeconds((ContinuousClock.now - start).seconds)
        }
        do {
            return try await send(operation, token)
        } catch {
            outcome = (error as? PitchlyError)?.kind.rawValue ?? "cancelled"
            throw error
        }
    }

    private func send<Answer>(_ operation: GraphQLOperation<Answer>, _ token: Secret) async throws -> Answer {
        let answer = try await exchange(request(operation, token), operation: operation.name)
        let host = configuration.url.host
        if let error = refusal(of: answer, operation: operation.name) { throw error }
        do {
            switch try GraphQLAnswer(answer.body, for: operation) {
            case .errors(let faults):
                throw PitchlyError(faults: faults, operation: operation.name, host: host, token: token)
            case .data(let data) where (200..<300).contains(answer.status):
                return data
            case .data:
                throw JSONScanner.Failure(expected: "status 200", offset: 0)
            }
        } catch let failure as JSONScanner.Failure {
            throw PitchlyError(malformed: answer, operation: operation.name, host: host, failure: failure)
        }
    }

    private func exchange(_ request: HTTPClientRequest, operation: String) async throws -> HTTPAnswer {
        let host = configuration.url.host
        do {
            return try await withDeadline(configuration.timeout, clock: ambience.clock) {
                let response = try await transport.queries.execute(request, deadline: .distantFuture)
                return try await HTTPAnswer(response, limit: configuration.answerLimit)
            }
        } catch let error as HTTPAnswer.TooLong {
            throw PitchlyError(
                .malformed,
                operation: operation,
                message: "expected at most \(error.limit) bytes from \(host) for \(operation), got more",
                hint: "use a smaller page size"
            )
        } catch is DeadlineExceeded {
            let message = "no answer from \(host) to \(operation) within \(configuration.timeout.seconds) s"
            throw PitchlyError(.unreachable, operation: operation, message: message)
        } catch {
            try Task.checkCancellation()
            let message = "no whole answer from \(host) to \(operation): \(transportFailureText(error))"
            throw PitchlyError(.unreachable, operation: operation, message: message)
        }
    }
}

extension PitchlyClient {
    private func request(_ operation: GraphQLOperation<some Sendable>, _ token: Secret) -> HTTPClientRequest {
        var request = HTTPClientRequest(url: configuration.url.description)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "leasehold")
        if let tokenVariable {
            request.body = .bytes(ByteBuffer(string: operation.body(token: (tokenVariable, token.reveal()))))
        } else {
            request.headers.add(name: "Authorization", value: "Bearer \(token.reveal())")
            request.body = .bytes(ByteBuffer(string: operation.body(token: nil)))
        }
        return request
    }

    /// What the status alone says, whatever the body is.
    private func refusal(of answer: HTTPAnswer, operation: String) -> PitchlyError? {
        let kind: PitchlyError.Kind
        switch answer.status {
        case 401: kind = .unauthenticated
        case 429: kind = .throttled
        case 500...: kind = .unavailable
        default: return nil
        }
        return PitchlyError(
            kind,
            operation: operation,
            message: "\(configuration.url.host) answered \(operation) with status \(answer.status)",
            hint: PitchlyError.hint(for: kind),
            retryAfter: retryAfterDelay(answer.retryAfter, now: ambience.wallClock.now())
        )
    }
}
