import Synchronization

/// What came in, without tokens, codes or secrets: for assertions about how a client behaves.
package final class RequestLog: Sendable {
    package struct Entry: Sendable, Codable, Equatable {
        /// From 1, over the life of the fake.
        package var number = 0
        /// Milliseconds since 1970.
        package var at = 0
        package var method = ""
        package var path = ""
        package var organization: String?
        /// Of a POST to the token endpoint.
        package var grant: String?
        /// `body`, `basic` or `none`.
        package var clientAuthentication: String?
        /// The operation's own name, where the client gave it one.
        package var operation: String?
        /// Root fields of a GraphQL request.
        package var roots: [String] = []
        package var faults: [String] = []
        /// Nil where the connection was ended without an answer.
        package var status: Int?
        package var mediaType: String?
        package var userAgent: String?
        package var connection = 0
        package var requestOnConnection = 0
        /// Requests of the same organisation and path that were in the house when this one had come,
        /// itself included; 0 where the organisation is unknown.
        package var inFlight = 0
    }

    private struct State {
        var entries: [Entry] = []
        var count = 0
        var inFlight: [String: Int] = [:]
    }

    private let state = Mutex(State())

    /// The newest so many entries are kept, at least.
    static let kept = 20_000

    func append(_ entry: Entry) {
        state.withLock { state in
            state.count += 1
            var entry = entry
            entry.number = state.count
            state.entries.append(entry)
            if state.entries.count >= 2 * Self.kept { state.entries.removeFirst(Self.kept) }
        }
    }

    /// The request has come and `entry` names its organisation; to be followed by ``leave(_:)``.
    func enter(_ entry: inout Entry) {
        guard let key = Self.key(entry) else { return }
        entry.inFlight = state.withLock { state in
            state.inFlight[key, default: 0] += 1
            return state.inFlight[key] ?? 0
        }
    }

    /// Its answer is about to be sent.
    func leave(_ entry: Entry) {
        guard entry.inFlight > 0, let key = Self.key(entry) else { return }
        state.withLock { state in
            let left = (state.inFlight[key] ?? 1) - 1
            state.inFlight[key] = left == 0 ? nil : left
        }
    }

    private static func key(_ entry: Entry) -> String? { entry.organization.map { "\(entry.path) \($0)" } }

    /// - Parameter after: only entries with a greater number.
    package func entries(after: Int = 0) -> [Entry] { state.withLock { $0.entries.filter { $0.number > after } } }

    /// Over the life of the fake.
    package var count: Int { state.withLock { $0.count } }
}
