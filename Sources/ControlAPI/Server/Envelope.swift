import Foundation
import HTTPTypes
import Hummingbird
import LeaseholdCore
import Logging
import Metrics
import NIOHTTP1

/// Wraps every request: its id, the answer to whatever was thrown, headers that every answer carries,
/// one line of access log, and its time.
///
/// A query is never logged: it can hold an authorization code.
struct Envelope: RouterMiddleware {
    typealias Context = ControlContext

    let noRoute: NoRoute
    let showsPage: Bool
    let proxies: TrustedProxies
    let logger: Logger

    // The framework's closures run on the global executor.
    @concurrent func handle(
        _ request: Request,
        context: ControlContext,
        next: @concurrent (Request, ControlContext) async throws -> Response
    ) async throws -> Response {
        let started = ContinuousClock.now
        let id = Self.requestID(request)
        var context = context
        context.coreContext = named(context.coreContext, id)
        context.remoteAddress = proxies.client(of: context.remoteAddress, request.headers)
        var response: Response
        do {
            response = try await next(request, context)
        } catch let error as HTTPParserError {
            // The connection itself answers 400 and closes.
            throw error
        } catch {
            response = answer(to: error, request, context, id)
        }
        response.headers[.requestID] = id
        Self.secure(&response.headers)
        note(request, response, context, took: ContinuousClock.now - started)
        return response
    }

    private func answer(to error: any Error, _ request: Request, _ context: ControlContext, _ id: String) -> Response {
        if error is PageLoginNeeded {
            let then = request.method == .get ? request.uri.string : "/"
            return .seeOther("/login?then=\(queryEncoded(PageRoutes.safePath(then)))")
        }
        if let redirect = error as? PageRedirect { return .seeOther(redirect.path) }
        var problem = Problem(error)
        // Hummingbird throws its own when no route fits.
        if problem.status == .notFound && problem.code == "http_404" { problem = noRoute.problem(request) }
        if problem.status.code >= 500 { note(error, as: problem, context) }
        let wantsPage = request.headers[.accept]?.contains("text/html") ?? false
        if showsPage && wantsPage { return PageProblem.response(problem, requestID: id) }
        return problem.response(requestID: id)
    }

    /// What the client is asked to try again is no fault of this server.
    private func note(_ error: any Error, as problem: Problem, _ context: ControlContext) {
        let isPassing = problem.headers[.retryAfter] != nil
        let isOwn = error is Problem
        context.logger.log(
            level: isPassing ? .warning : .error,
            isPassing ? "the request has to come again" : "the request failed",
            metadata: [
                "event": isPassing ? "http_unavailable" : "http_error",
                "error": "\(isOwn ? problem.detail : errorText(error))",
                "error_label": "\(isOwn ? problem.code : errorLabel(error))",
            ]
        )
    }

    /// The client's own id, if it is a sane one, so that a request can be followed through services.
    private static func requestID(_ request: Request) -> String {
        if let given = request.headers[.requestID], (1...64).contains(given.utf8.count),
            given.utf8.allSatisfy({ $0.isRequestIDByte })
        {
            return given
        }
        return UUID().uuidString.lowercased()
    }

    private func named(_ storage: CoreRequestContextStorage, _ id: String) -> CoreRequestContextStorage {
        struct Source: RequestContextSource { let logger: Logger }
        var logger = logger
        logger[metadataKey: "request_id"] = "\(id)"
        var renamed = CoreRequestContextStorage(source: Source(logger: logger))
        renamed.parameters = storage.parameters
        renamed.endpointPath = storage.endpointPath
        return renamed
    }

    private static func secure(_ headers: inout HTTPFields) {
        headers[.contentTypeOptions] = "nosniff"
        headers[.referrerPolicy] = "no-referrer"
        if headers[.contentSecurityPolicy] == nil {
            headers[.contentSecurityPolicy] = "default-src 'none'; frame-ancestors 'none'"
        }
    }

    private func note(_ request: Request, _ response: Response, _ context: ControlContext, took: Duration) {
        let route = context.endpointPath ?? "none"
        // Of the methods there are; a client may send any word.
        let method = HTTPRequest.Method.known.contains(request.method) ? request.method.rawValue : "other"
        Metrics.Timer(
            label: "http_request_seconds",
            dimensions: [("method", method), ("route", route), ("status", String(response.status.code))]
        ).recordSeconds(took.seconds)
        context.logger.log(
            level: ["/live", "/ready", "/metrics"].contains(route) ? .debug : .info,
            "request",
            metadata: [
                "event": "http_request", "method": "\(method)", "route": "\(route)",
                "status": "\(response.status.code)", "seconds": "\(took.seconds)",
                "bytes": "\(response.body.contentLength ?? 0)", "remote": "\(context.remoteAddress)",
            ]
        )
    }
}

extension HTTPRequest.Method {
    /// Those that a route could have.
    static let known: [HTTPRequest.Method] = [.get, .head, .post, .put, .patch, .delete, .options]
}

extension HTTPField.Name {
    static let requestID = HTTPField.Name("X-Request-Id")!
    static let contentTypeOptions = HTTPField.Name("X-Content-Type-Options")!
    static let referrerPolicy = HTTPField.Name("Referrer-Policy")!
    static let idempotencyKey = HTTPField.Name("Idempotency-Key")!
    static let traceParent = HTTPField.Name("traceparent")!
}

extension UInt8 {
    fileprivate var isRequestIDByte: Bool {
        switch self {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
            true
        default: false
        }
    }
}
