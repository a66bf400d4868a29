import LeaseholdCore
import NIOCore
import Synchronization

/// What is known of one POST while it runs: whether the body was handed to the connection, and what
/// came back. Its verdict is exact because the token is in the body and the body leaves only here.
final class ExchangeAttempt: Sendable {
    private let state = Mutex(State())
    private let body: String
    private let limit: Int

    private struct State {
        /// unsent -> released (the connection is up and asked for the body)
        /// unsent -> sealed (the attempt ended first: the body can no longer leave)
        enum Gate {
            case unsent
            case released
            case sealed
        }
        var gate = Gate.unsent
        var head: Head?
        var bytes: [UInt8] = []
        var isComplete = false
        var failure: String?
    }

    private struct Head {
        let status: Int
        let contentType: String?
        let retryAfter: String?
    }

    init(body: String, limit: Int) {
        self.body = body
        self.limit = limit
    }

    var bodyLength: Int { body.utf8.count }

    /// The body, once. Nil after the attempt has ended.
    func releaseBody() -> ByteBuffer? {
        state.withLock { state in
            guard state.gate == .unsent else { return nil }
            state.gate = .released
            return ByteBuffer(string: body)
        }
    }

    func received(status: Int, contentType: String?, retryAfter: String?) {
        state.withLock { $0.head = Head(status: status, contentType: contentType, retryAfter: retryAfter) }
    }

    /// False when the reply is longer than the limit and reading must stop.
    func received(_ part: ByteBuffer) -> Bool {
        state.withLock { state in
            let room = limit - state.bytes.count
            state.bytes.append(contentsOf: part.readableBytesView.prefix(room))
            return part.readableBytes <= room
        }
    }

    func completed() { state.withLock { $0.isComplete = true } }

    /// The first failure stands: what follows is its echo.
    func failed(_ reason: String) { state.withLock { $0.failure = $0.failure ?? reason } }

    /// Ends the attempt.
    func verdict() -> TokenEndpointReply {
        state.withLock { state in
            if state.gate == .unsent { state.gate = .sealed }
            if let head = state.head {
                return .answered(
                    status: head.status,
                    contentType: head.contentType,
                    retryAfter: head.retryAfter,
                    body: state.bytes,
                    complete: state.isComplete
                )
            }
            let reason = state.failure ?? "no answer"
            return state.gate == .released ? .noReply(reason: reason) : .notSent(reason: reason)
        }
    }
}

/// The request body as a stream of one part, pulled by the connection when it is ready to send.
struct ReleasedBody: AsyncSequence, Sendable {
    let attempt: ExchangeAttempt

    struct AsyncIterator: AsyncIteratorProtocol {
        let attempt: ExchangeAttempt

        mutating func next() async -> ByteBuffer? { attempt.releaseBody() }
    }

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(attempt: attempt) }
}
