/// Ledger, tokens, clock, requests and faults.
extension ControlPlane {
    func ledger(_ request: FakeRequest) throws -> FakeReply {
        if request.query?["totals"] == "true" { return try encode(server.totals) }
        return try encode(server.ledger(organization: request.query?["organization"]))
    }

    func tokens(_ request: FakeRequest) -> FakeReply {
        let tokens = request.query?["organization"].map(server.currentRefreshTokens) ?? server.secrets
        var reply = FakeReply(status: 200)
        reply.headers = [("content-type", "text/plain; charset=utf-8")]
        reply.body = .bytes(Array(tokens.map { $0 + "\n" }.joined().utf8))
        return reply
    }

    func requests(_ request: FakeRequest) throws -> FakeReply {
        let after = request.query?["after"].flatMap { Int($0) } ?? 0
        return try encode(server.requests.entries(after: after))
    }

    func makeSession(_ body: JSONValue) throws -> FakeReply {
        .json(["access_token": .string(try server.makeSession(organization: text(body, "organization")))])
    }

    func makeGrant(_ body: JSONValue) throws -> FakeReply {
        let grant = try server.makeGrant(organization: text(body, "organization"))
        return .json(["access_token": .string(grant.accessToken), "refresh_token": .string(grant.refreshToken)])
    }

    func invalidate(_ body: JSONValue) throws -> FakeReply {
        if let token = body["access_token"].stringValue {
            let wasValid = server.accepts(accessToken: token)
            server.authority.invalidate(accessToken: token)
            return .json(["invalidated": JSONValue(wasValid ? 1 : 0)])
        }
        let organization = try server.organization(text(body, "organization")).id
        return .json(["invalidated": JSONValue(server.invalidateAccessTokens(organization: organization))])
    }

    func revoke(_ body: JSONValue) throws -> FakeReply {
        let organization = try server.organization(text(body, "organization")).id
        server.revokeGrants(organization: organization)
        return .json(["revoked": .string(organization)])
    }

    func advance(_ body: JSONValue) throws -> FakeReply {
        guard let seconds = body["advanceSeconds"].doubleValue else {
            throw EditRefused("expected a number \"advanceSeconds\"")
        }
        server.clock.advance(by: .milliseconds(Int(seconds * 1_000)))
        return .json(["now": .string(CivilTime.iso(milliseconds: server.clock.now))])
    }

    func faults() -> FakeReply {
        .json(
            .array(
                server.faults.rules.map { id, rule, hits in
                    ["id": JSONValue(id), "fault": .string(rule.fault.name), "hits": JSONValue(hits)]
                }
            )
        )
    }

    func setFaults(_ body: JSONValue) throws -> FakeReply {
        let given = body.arrayValue ?? [body]
        // All are read before one is set.
        let rules = try given.map { try FaultRule(json: $0) }
        return .json(["ids": .array(rules.map { JSONValue(server.faults.add($0)) })])
    }

    func clearFaults(_ request: FakeRequest) -> FakeReply {
        if let id = request.query?["id"].flatMap({ Int($0) }) {
            server.faults.remove(id)
        } else {
            server.faults.removeAll()
        }
        return faults()
    }
}
