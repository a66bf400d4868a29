import Hummingbird
import JobQueue
import LeaseholdCore
import Logging
import Postgres

extension PageRoutes {
    var actionRoutes: [Route] {
        [
            action("/jobs/{job}/retry", needs: .jobsWrite) { request, _ in
                let job = try request.job()
                _ = try await steering(request).retry(job)
                return "/jobs/\(job)?done=retried"
            },
            action("/jobs/{job}/cancel", needs: .jobsWrite) { request, _ in
                let job = try request.job()
                _ = try await steering(request).cancel(
                    job,
                    reason: "cancelled on the page by key \(request.caller?.keyID ?? "")"
                )
                return "/jobs/\(job)?done=cancelled"
            },
            action("/jobs/{job}/discard", needs: .jobsWrite) { request, _ in
                let job = try request.job()
                let answer = try await steering(request).discard(
                    job,
                    reason: "discarded on the page by key \(request.caller?.keyID ?? "")"
                )
                return "/jobs/\(job)?done=\(answer == .discarded ? "discarded" : "runs")"
            },
            action("/tenants/{tenant}/pause", needs: .tenantsWrite) { request, _ in try await setPaused(true, request)
            },
            action("/tenants/{tenant}/resume", needs: .tenantsWrite) { request, _ in try await setPaused(false, request)
            },
            action("/queues/{queue}/pause", needs: .jobsWrite) { request, _ in
                try await steering(request).pause(try QueueName(request.parameter("queue")))
                return "/queues?done=paused"
            },
            action("/queues/{queue}/resume", needs: .jobsWrite) { request, _ in
                try await steering(request).resume(try QueueName(request.parameter("queue")))
                return "/queues?done=resumed"
            },
        ]
    }

    private func steering(_ request: ControlRequest) -> JobQueue { queue.acting(as: request.source(.page)) }

    private func setPaused(_ isPaused: Bool, _ request: ControlRequest) async throws -> String {
        let tenant = try request.tenant()
        try await tenants.acting(as: request.source(.page)).setPaused(isPaused, tenant)
        return "/tenants/\(pathEncoded(tenant.rawValue))?done=\(isPaused ? "paused" : "resumed")"
    }

    /// A route for a form of the page: does something, logs who did it, and shows a page.
    ///
    /// - Parameter act: returns the page to show.
    func action(
        _ path: String,
        needs scope: APIScope,
        _ act: @escaping @Sendable (ControlRequest, _ form: [String: String]) async throws -> String
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
            // A body can be read once.
            let form = try await request.form()
            try Self.mustBeOurForm(form, request)
            let next = try await act(request, form)
            request.logger.notice(
                "done on the page",
                metadata: ["event": "page_action", "key": "\(caller.keyID)", "path": "\(request.raw.uri.path)"]
            )
            return .seeOther(next)
        }
    }
}
