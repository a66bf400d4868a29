import HTTPTypes
import Hummingbird
import LeaseholdCore

extension PageRoutes {
    var loginRoutes: [Route] {
        [
            Route(.get, "/login", .open) { request in
                LoginPage(problem: nil, then: Self.safePath(request.query("then"))).response()
            },
            Route(.post, "/login", .login, logIn),
            Route(.post, "/logout", .session, logOut),
        ]
    }

    /// A key is pasted once and then a session stands for it: the browser never keeps the key.
    @Sendable private func logIn(_ request: ControlRequest) async throws -> Response {
        let fields = try await request.form()
        let then = Self.safePath(fields["then"])
        let key = (fields["key"] ?? "").trimmingPrefix { $0.isWhitespace }.prefix { !$0.isWhitespace }
        guard key.utf8.count == 47, let caller = try await keys.caller(key: String(key)) else {
            return LoginPage(problem: "That is not a key that is known, not expired and not revoked.", then: then)
                .response(.unauthorized)
        }
        let session = try await keys.openSession(key: caller.keyID, lifetime: settings.sessionTime)
        return .seeOther(
            then,
            cookie: cookies.header(
                cookies.session,
                session,
                maxAge: Int(settings.sessionTime.seconds),
                sameSite: "Strict"
            )
        )
    }

    @Sendable private func logOut(_ request: ControlRequest) async throws -> Response {
        try Self.mustBeOurForm(try await request.form(), request)
        if let session = request.cookie(cookies.session) { try await keys.endSession(session) }
        return .seeOther("/login", cookie: cookies.header(cookies.session, "", maxAge: 0, sameSite: "Strict"))
    }

    /// Only a path of this server, so that a link to the login cannot lead elsewhere afterwards.
    static func safePath(_ text: String?) -> String {
        guard let text, text.hasPrefix("/"), !text.hasPrefix("//"), text.utf8.count <= 1000,
            text.utf8.allSatisfy({ (0x21...0x7E).contains($0) && $0 != UInt8(ascii: "\\") })
        else { return "/" }
        return text
    }

    /// A form must carry what only a page of ours knows.
    ///
    /// - Throws: ``Problem`` 403.
    static func mustBeOurForm(_ form: [String: String], _ request: ControlRequest) throws {
        let given = form["token"] ?? ""
        guard let token = request.caller?.formToken, RandomText.isEqual(token, given) else {
            throw Problem(
                .forbidden,
                "form_not_ours",
                "expected a form of this page, got one without its token",
                hint: "open the page again and repeat"
            )
        }
    }
}

/// The page on which a key is pasted.
struct LoginPage {
    let problem: String?
    let then: String

    func response(_ status: HTTPResponse.Status = .ok) -> Response {
        PageMessage.html(PageTemplates.render("login", self), status: status)
    }
}

extension Response {
    /// To a page that is to be fetched with GET (RFC 9110 section 15.4.4).
    static func seeOther(_ path: String, cookie: String? = nil) -> Response {
        var response = Response(status: .seeOther, headers: [.location: path, .cacheControl: "no-store"])
        if let cookie { response.headers[.setCookie] = cookie }
        return response
    }
}
