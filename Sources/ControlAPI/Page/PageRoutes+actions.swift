import Hummingbird
import JobQueue
import LeaseholdCore
import Logging

extension PageRoutes {
    var actionRoutes: [Route] {
        [
            action("/jobs/{job}/retry", needs: .jobsWrite) { request in
                let job = try request.job()
                _ = try await queue.retry(job)
                return "/jobs/\(job)?done=retried"
            },
            action("/jobs/{job}/cancel", needs: .jobsWrite) { request in
                let job = try request.job()
                _ = try await queue.cancel(job, reason: "cancelled on the page by key \(request.caller?.keyID ?? "")")
                return "/jobs/\(job)?done=cancelled"
            },
            action("/tenants/{tenant}/pause", needs: .tenantsWrite) { try await setPaused(true, $0) },
            action("/tenants/{tenant}/resume", needs: .tenantsWrite) { try await setPaused(false, $0) },
            action("/queues/{queue}/pause", needs: .jobsWrite) { request in
                try await queue.pause(try QueueName(request.parameter("queue")))
                return "/queues?done=paused"
            },
            action("/queues/{queue}/resume", needs: .jobsWrite) { request in
                try await queue.resume(try QueueName(request.parameter("queue")))
                return "/queues?done=resumed"
            },
        ]
    }

    private func setPaused(_ isPaused: Bool, _ request: ControlRequest) async throws -> String {
        let tenant = try request.tenant()
        try await tenants.setPaused(isPaused, tenant)
        return "/tenants/\(pathEncoded(tenant.rawValue))?done=\(isPaused ? "paused" : "resumed")"
    }

    /// A route for a form of the page: does something, logs who did it, and shows a page.
    ///
    /// - Parameter act: returns the page to show.
    private func action(
        _ path: String,
        needs scope: APIScope,
        _ act: @escaping @Sendable (ControlRequest) async throws -> String
    ) -> Route {
        Route(.post, path, .session) { request in
            guard let caller = request.caller, caller.tenant == nil, caller.may(scope) else {
                throw Problem(
                    .forbidden,
                    "scope_missing",
                    "expected a key with the scope \(scope.rawValue), got one without",
                    hint: "log out, and in with another key"
                )
            }
            try await Self.mustBeOurForm(request)
            let next = try await act(request)
            request.logger.notice(
                "done on the page",
                metadata: ["event": "page_action", "key": "\(caller.keyID)", "path": "\(request.raw.uri.path)"]
            )
            return .seeOther(next)
        }
    }
}
