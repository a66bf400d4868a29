import HTTPTypes
import Hummingbird
import LeaseholdCore
import NIOCore

/// A page that says one thing, such as an error or the end of a login.
struct PageMessage {
    let title: String
    let text: String
    var hint: String?
    var requestID: String?
    var isMessage: Bool { true }

    static func response(title: String, text: String) -> Response {
        html(PageTemplates.render("message", PageMessage(title: title, text: text)))
    }

    static func html(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [
                .contentType: "text/html; charset=utf-8", .cacheControl: "no-store",
                .contentSecurityPolicy: policy,
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }

    /// Nothing but the style sheet of this server, and forms to it; nothing inline, no script, no frame.
    private static let policy =
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
}

/// A ``Problem`` for people.
enum PageProblem {
    static func response(_ problem: Problem, requestID: String) -> Response {
        let page = PageMessage(
            title: "\(problem.status.code) \(problem.status.reasonPhrase)",
            text: problem.detail,
            hint: problem.hint,
            requestID: requestID
        )
        var response = PageMessage.html(PageTemplates.render("message", page), status: problem.status)
        response.headers.append(contentsOf: problem.headers)
        return response
    }
}
