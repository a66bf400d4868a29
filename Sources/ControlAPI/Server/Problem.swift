import Foundation
import HTTPTypes
import Hummingbird
import LeaseholdCore
import NIOCore

/// An answer that is not the one asked for, as `application/problem+json` (RFC 9457).
struct Problem: Error {
    let status: HTTPResponse.Status
    /// Without any variable part, for programs: `unknown_job`.
    let code: String
    /// What was expected and what came.
    let detail: String
    var hint: String?
    var headers = HTTPFields()
    /// Further members, as complete JSON values.
    var members: [(name: String, json: String)] = []

    init(_ status: HTTPResponse.Status, _ code: String, _ detail: String, hint: String? = nil) {
        self.status = status
        self.code = code
        self.detail = detail
        self.hint = hint
    }

    init(_ status: HTTPResponse.Status, _ error: any ExplainedError) {
        self.init(status, error.label, error.message, hint: error.hint)
    }

    func retry(after delay: Duration) -> Problem {
        var problem = self
        problem.headers[.retryAfter] = String(max(1, Int(delay.seconds.rounded(.up))))
        return problem
    }

    func body(requestID: String) -> String {
        var object = JSONObjectText()
        object.set("type", "urn:leasehold:problem:\(code)")
        object.set("title", status.reasonPhrase)
        object.set("status", status.code)
        object.set("code", code)
        object.set("detail", detail)
        if let hint { object.set("hint", hint) }
        for member in members { object.set(member.name, json: member.json) }
        object.set("request_id", requestID)
        return object.text
    }

    func response(requestID: String) -> Response {
        var headers = headers
        headers[.contentType] = "application/problem+json"
        headers[.cacheControl] = "no-store"
        return Response(
            status: status,
            headers: headers,
            body: ResponseBody(byteBuffer: ByteBuffer(string: body(requestID: requestID)))
        )
    }
}

extension Problem {
    static func notFound(_ path: String) -> Problem {
        Problem(
            .notFound,
            "not_found",
            "expected a path of this server, got \"\(path.prefix(200))\"",
            hint: "GET /openapi.json lists them"
        )
    }

    static func methodNotAllowed(_ method: HTTPRequest.Method, allowed: [HTTPRequest.Method]) -> Problem {
        let names = allowed.map(\.rawValue).sorted().joined(separator: ", ")
        var problem = Problem(
            .methodNotAllowed,
            "method_not_allowed",
            "expected one of the methods \(names), got \(method.rawValue.prefix(40))"
        )
        problem.headers[.allow] = names
        return problem
    }

    static func invalidBody(at pointer: String, _ expected: String) -> Problem {
        Problem(.badRequest, "invalid_body", "expected \(pointer.isEmpty ? "the body" : pointer) \(expected)")
    }

    static func noVault() -> Problem {
        Problem(
            .serviceUnavailable,
            "no_vault",
            "expected a server that holds the key ring, got one that does not",
            hint: "start it with tokens among LEASEHOLD_SERVER_ROLES"
        )
    }
}
