import AsyncHTTPClient
package import Foundation
package import LeaseholdCore
import Logging
import Metrics
import NIOCore
import NIOHTTP1

/// Sends GraphQL operations for one tenant and gives usable answers or a ``PitchlyError``. Made by
/// ``PitchlyAPI/client(for:tokens:logger:)``.
///
/// GraphQL answers 200 also when it refuses; the answers are judged by their content. A refused
/// token is replaced once, a passing failure is repeated a little later; the latter only for reading
/// operations, which may be sent again.
package struct PitchlyClient: Sendable {
    let api: PitchlyAPI
    package let tenant: TenantID
    let tokens: any AccessTokenProvider
    let logger: Logger

    package var dialect: any PitchlyDialect { api.dialect }

    /// - Throws: ``PitchlyError``, what the token provider throws, or CancellationError.
    package func read<Answer>(_ operation: GraphQLOperation<Answer>) async throws -> Answer {
        try await readDated(operation).value
    }

    /// As ``read(_:)``, with the time of the answer.
    package func readDated<Answer>(_ operation: GraphQLOperation<Answer>) async throws -> DatedAnswer<Answer> {
        var bound = api.configuration.repeatDelay
        for _ in 0..<api.configuration.repeats {
            do {
                return try await perform(operation)
            } catch let error as PitchlyError where isWorthRepeating(error) {
                logger.debug("pitchly_repeat", metadata: ["operation": "\(operation.name)", "error": "\(error)"])
                try await api.ambience.clock.sleep(for: bound * api.ambience.random.uniform(in: 0...1))
                bound *= 2
            }
        }
        return try await perform(operation)
    }

    /// Sends an operation that changes something, once; a second time only if the first was refused for
    /// its token, before anything was done.
    ///
    /// - Throws: as ``read(_:)``. After an error of the kinds `unreachable`, `unavailable` and `malformed`
    ///   the change may have been made.
    package func write<Answer>(_ operation: GraphQLOperation<Answer>) async throws -> Answer {
        try await perform(operation).value
    }

    /// What asks for a longer rest than the governor waits is the caller's to judge: it may have
    /// better things to do meanwhile.
    private func isWorthRepeating(_ error: PitchlyError) -> Bool {
        error.isTransient && error.retryAfter ?? .zero <= api.governor.patience
    }

    /// One request, sent a second time only if the token was refused and a newer one could be had.
    private func perform<Answer>(_ operation: GraphQLOperation<Answer>) async throws -> DatedAnswer<Answer> {
        let first = try await tokens.accessToken(replacing: nil)
        do {
            return try await paced(operation, first.token)
        } catch let error as PitchlyError where mayBeTheToken(error) {
            let second = try await tokens.accessToken(replacing: first.generation)
            guard second.generation != first.generation else { throw error }
            return try await paced(operation, second.token)
        }
    }

    /// A permission that is really missing costs one exchange per request that is refused for it,
    /// where the dialect does not tell the two apart.
    private func mayBeTheToken(_ error: PitchlyError) -> Bool {
        error.kind == .unauthenticated || (error.kind == .forbidden && dialect.hidesExpiry)
    }

    /// At the tenant's pace.
    private func paced<Answer>(
        _ operation: GraphQLOperation<Answer>,
        _ token: Secret
    ) async throws -> DatedAnswer<Answer> {
        if let delay = try await api.governor.admit(tenant) {
            throw PitchlyError(
                .throttled,
                operation: operation.name,
                message: "requests of tenant \(tenant) to \(api.configuration.url.host) rest for \(delay.seconds) s",
                retryAfter: delay
            )
        }
        let start = ContinuousClock.now
        do {
            let answer = try await send(operation, token)
            note(operation.name, "ok", ContinuousClock.now - start)
            return answer
        } catch {
            note(operation.name, (error as? PitchlyError)?.kind.rawValue ?? "cancelled", ContinuousClock.now - start)
            if let error = error as? PitchlyError { slowDown(error) }
            throw error
        }
    }

    private func note(_ operation: String, _ outcome: String, _ latency: Duration) {
        Metrics.Timer(
            label: "pitchly_request_seconds",
            dimensions: [("operation", operation), ("outcome", outcome)]
        ).recordSeconds(latency.seconds)
        if outcome == "ok" { api.governor.answered(tenant, latency: latency) }
    }

    private func slowDown(_ error: PitchlyError) {
        switch error.kind {
        case .throttled: api.governor.throttled(tenant, retryAfter: error.retryAfter, isProviderWide: false)
        case .unavailable: api.governor.throttled(tenant, retryAfter: error.retryAfter, isProviderWide: true)
        default: return
        }
    }

    private func send<Answer>(
        _ operation: GraphQLOperation<Answer>,
        _ token: Secret
    ) async throws -> DatedAnswer<Answer> {
        let answer = try await exchange(request(operation, token), operation: operation.name)
        let host = api.configuration.url.host
        if let error = refusal(of: answer, operation: operation.name) { throw error }
        do {
            switch try GraphQLAnswer(answer.body, for: operation) {
            case .errors(let faults):
                throw PitchlyError(faults: faults, operation: operation.name, host: host, token: token)
            case .data(let data) where (200..<300).contains(answer.status):
                return DatedAnswer(value: data, date: answer.date)
            case .data:
                throw JSONScanner.Failure(expected: "status 200", offset: 0)
            }
        } catch let failure as JSONScanner.Failure {
            throw PitchlyError(malformed: answer, operation: operation.name, host: host, failure: failure)
        }
    }

    private func exchange(_ request: HTTPClientRequest, operation: String) async throws -> HTTPAnswer {
        let host = api.configuration.url.host
        do {
            return try await withDeadline(api.configuration.timeout, clock: api.ambience.clock) {
                let response = try await api.transport.queries.execute(request, deadline: .distantFuture)
                return try await HTTPAnswer(response, limit: api.configuration.answerLimit)
            }
        } catch let error as HTTPAnswer.TooLong {
            throw PitchlyError(
                .malformed,
                operation: operation,
                message: "expected at most \(error.limit) bytes from \(host) for \(operation), got more",
                hint: "use a smaller page size"
            )
        } catch is DeadlineExceeded {
            let message = "no answer from \(host) to \(operation) within \(api.configuration.timeout.seconds) s"
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
        var request = HTTPClientRequest(url: api.configuration.url.description)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        request.headers.add(name: "Accept", value: "application/json")
        request.headers.add(name: "User-Agent", value: "leasehold")
        if let tokenVariable = api.dialect.tokenVariable {
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
            message: "\(api.configuration.url.host) answered \(operation) with status \(answer.status)",
            hint: PitchlyError.hint(for: kind),
            retryAfter: retryAfterDelay(answer.retryAfter, now: api.ambience.wallClock.now())
        )
    }
}

/// An answer and when it was given.
package struct DatedAnswer<Value: Sendable>: Sendable {
    package let value: Value
    /// The server's clock, in whole seconds; nil if the answer does not say.
    package let date: Date?
}
