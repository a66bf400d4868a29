import HTTPTypes
import Hummingbird
import JobQueue
import LeaseholdCore
import NIOCore
import Postgres

/// The page for people: rendered here, without a script, usable with a keyboard and on a phone.
///
/// Who holds a key with the scopes `jobs:read` and `tenants:read`, not bound to a tenant, may look; what
/// changes something asks for the scope that the API asks for.
///
/// - `+overview`, `+jobs`, `+tenants`, `+lists`: the pages
/// - `+actions`, `+limits`, `+many`: what their buttons do, to one thing and to all that match
/// - `+login`: logging in and out
struct PageRoutes: Sendable {
    let store: PageStore
    let queue: JobQueue
    let tenants: TenantStore
    let actions: ActionLog
    let keys: APIKeyStore
    let cookies: CookieNames
    let settings: ControlSettings
    /// Whether a person can connect a tenant here.
    let connects: Bool

    init(parts: ControlParts, settings: ControlSettings) {
        store = PageStore(pool: parts.pagePool)
        queue = parts.queue
        tenants = parts.tenants
        actions = ActionLog(pool: parts.pagePool)
        keys = APIKeyStore(pool: parts.pool)
        cookies = CookieNames(settings)
        connects = parts.faces.contains(.api) && parts.vault != nil && parts.authorizationURL != nil
        self.settings = settings
    }

    var routes: [Route] {
        [
            page("/", overview), page("/jobs", jobs), page("/jobs/{job}", job), page("/queues", queues),
            page("/tenants", tenantList), page("/tenants/{tenant}", tenant), page("/tokens", tokens),
            page("/workers", workers), page("/errors", errors), page("/schedules", schedules),
            page("/syncs", syncs), page("/actions", actionList),
        ] + actionRoutes + limitRoutes + manyRoutes + loginRoutes + assetRoutes
    }

    private func page(
        _ path: String,
        _ view: @escaping @Sendable (ControlRequest) async throws -> PageView
    ) -> Route {
        Route(.get, path, .session) { request in
            try Self.mustLook(request)
            return PageFrame.response(try await view(request), request)
        }
    }

    /// - Throws: ``Problem`` 403.
    private static func mustLook(_ request: ControlRequest) throws {
        guard let caller = request.caller, caller.tenant == nil, caller.may(.jobsRead), caller.may(.tenantsRead) else {
            throw Problem(
                .forbidden,
                "scope_missing",
                "expected a key for all tenants with the scopes jobs:read and tenants:read, got another",
                hint: "log out, and in with another key"
            )
        }
    }

    private var assetRoutes: [Route] {
        [
            asset("/style.css", PackageResources.style_css, "text/css; charset=utf-8"),
            asset("/icon.svg", PackageResources.icon_svg, "image/svg+xml"),
        ]
    }

    private func asset(_ path: String, _ bytes: [UInt8], _ mediaType: String) -> Route {
        Route(.get, path, .open) { _ in
            Response(
                status: .ok,
                headers: [.contentType: mediaType, .cacheControl: "max-age=3600"],
                body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes))
            )
        }
    }

    /// A button, if the caller may press it.
    func action(
        _ title: String,
        _ path: String,
        needs scope: APIScope,
        question: String? = nil,
        fields: [PageField] = [],
        inputs: [PageInput] = [],
        _ request: ControlRequest
    ) -> [PageAction] {
        guard let caller = request.caller, caller.may(scope), let token = caller.formToken else { return [] }
        return [
            PageAction(
                title: title,
                path: path,
                question: question,
                token: token,
                fields: fields,
                inputs: inputs,
                tone: inputs.isEmpty ? "bad" : ""
            )
        ]
    }
}
