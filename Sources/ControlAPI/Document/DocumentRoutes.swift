import Hummingbird
import NIOCore

/// The description of the interface, for programs.
struct DocumentRoutes: Sendable {
    static let text = String(decoding: PackageResources.openapi_json, as: UTF8.self)

    var routes: [Route] {
        [
            Route(.get, "/openapi.json", .open) { _ in
                var response = Response.json(Self.text)
                response.headers[.cacheControl] = "max-age=300"
                return response
            }
        ]
    }
}
