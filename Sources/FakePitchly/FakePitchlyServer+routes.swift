extension FakePitchlyServer {
    func route(_ request: FakeRequest) async throws -> FakeReply {
        if request.path.hasPrefix(FakePaths.control) { return await ControlPlane(server: self).respond(to: request) }
        var entry = RequestLog.Entry()
        entry.at = clock.now
        entry.method = request.method
        entry.path = request.path
        entry.mediaType = request.mediaType
        entry.userAgent = request.header("user-agent")
        entry.connection = request.connection
        entry.requestOnConnection = request.requestOnConnection
        // Before the answer goes out, so that whoever has the answer finds the entry.
        defer {
            requests.leave(entry)
            requests.append(entry)
        }
        let reply = try await answer(request, &entry)
        entry.status = reply.hasStatus ? reply.status : nil
        return reply
    }

    private func answer(_ request: FakeRequest, _ entry: inout RequestLog.Entry) async throws -> FakeReply {
        switch request.path {
        case FakePaths.token, configuration.oauth.accessTokenExchange.path:
            try await tokenEndpoint.respond(to: request, entry: &entry)
        case FakePaths.graphQL: try await platform.respond(to: request, entry: &entry)
        case FakePaths.v2GraphQL: try await v2.respond(to: request, entry: &entry)
        case FakePaths.authorize: try await authorize(request, &entry)
        default: .json(["error": "not_found"], status: 404)
        }
    }

    private func authorize(_ request: FakeRequest, _ entry: inout RequestLog.Entry) async throws -> FakeReply {
        let active = faults.faults(for: FaultPlan.Subject(endpoint: .authorize))
        entry.faults = active.names
        try await active.wait(.before)
        if let reply = active.answer(.before, now: clock.now) { return reply }
        var reply: FakeReply
        switch request.method {
        case "GET": reply = authorizePage.show(request.query)
        case "POST": reply = authorizePage.decide(FormFields(request.body))
        default: return .json(["error": "method_not_allowed"], status: 405)
        }
        try await active.wait(.after)
        if let answer = active.answer(.after, now: clock.now) { return answer }
        if let delivery = active.delivery { reply.delivery = delivery }
        return reply
    }
}
