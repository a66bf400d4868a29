import HTTPTypes
import Hummingbird
import LeaseholdCore

/// One method of one path, who may call it, and what answers.
struct Route: Sendable {
    enum Access: Sendable, Equatable {
        /// Anybody.
        case open
        /// Anybody who has a key, which the form holds; an answer 401 counts against the address.
        case login
        /// A key that has the scope; bound to a tenant, only where the path's `{tenant}` is that one, or
        /// where the answer looks after it.
        case key(APIScope)
        /// Somebody who logged in to the page.
        case session
    }

    typealias Answer = @Sendable (ControlRequest) async throws -> Response

    let method: HTTPRequest.Method
    /// As in the OpenAPI document: `/v1/jobs/{job}`.
    let path: String
    let access: Access
    let answer: Answer

    init(_ method: HTTPRequest.Method, _ path: String, _ access: Access, _ answer: @escaping Answer) {
        self.method = method
        self.path = path
        self.access = access
        self.answer = answer
    }

    /// Whether `path` is one that this route would answer, were the method right.
    func matches(_ path: String) -> Bool {
        let (own, other) = (Self.segments(self.path), Self.segments(path))
        return own.count == other.count
            && zip(own, other).allSatisfy { own, other in own.hasPrefix("{") ? !other.isEmpty : own == other }
    }

    private static func segments(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: true)
    }
}

/// Answers what no route answers: 404, or 405 with the methods that the path has.
struct NoRoute: Sendable {
    let routes: [Route]

    func problem(_ request: Request) -> Problem {
        let path = request.uri.path
        var methods = Set(routes.filter { $0.matches(path) }.map(\.method))
        if methods.isEmpty { return .notFound(path) }
        if methods.contains(.get) { methods.insert(.head) }
        return .methodNotAllowed(request.method, allowed: Array(methods))
    }
}
