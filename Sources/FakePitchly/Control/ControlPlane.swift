import Foundation

/// `/_fake/…`: what ``FakePitchlyServer`` offers in-process, for other programs. JSON in, JSON out;
/// no key, because it listens on loopback only and guards nothing.
struct ControlPlane {
    let server: FakePitchlyServer

    func respond(to request: FakeRequest) async -> FakeReply {
        do {
            let body = request.body.isEmpty ? JSONValue.object(JSONObject()) : try JSONParser.parse(request.body)
            return try answer(request, body)
        } catch let error as any (Error & CustomStringConvertible) {
            return .json(["error": .string(error.description)], status: 400)
        } catch {
            return .json(["error": .string("\(error)")], status: 400)
        }
    }

    private func answer(_ request: FakeRequest, _ body: JSONValue) throws -> FakeReply {
        let path = request.path.dropFirst(FakePaths.control.count).split(separator: "/").map(String.init)
        switch (request.method, path.first ?? "", path.count) {
        case ("GET", "", 0): return .json(Self.index)
        case ("GET", "organizations", 1): return try organizations(request)
        case ("GET", "ledger", 1): return try ledger(request)
        case ("GET", "tokens", 1): return tokens(request)
        case ("GET", "requests", 1): return try requests(request)
        case ("GET", "faults", 1): return faults()
        case ("POST", "faults", 1): return try setFaults(body)
        case ("DELETE", "faults", 1): return clearFaults(request)
        case ("POST", "sessions", 1): return try makeSession(body)
        case ("POST", "grants", 1): return try makeGrant(body)
        case ("POST", "invalidate-access-token", 1): return try invalidate(body)
        case ("POST", "revoke", 1): return try revoke(body)
        case ("POST", "clock", 1): return try advance(body)
        case ("GET", "clock", 1): return .json(["now": .string(CivilTime.iso(milliseconds: server.clock.now))])
        case ("POST", "edit", 1): return try edit(body)
        case ("POST", "tables", 1): return try makeTable(body)
        case ("GET", "tables", 2): return .json(describe(try server.table(path[1])))
        case ("DELETE", "tables", 2):
            try server.dropTable(path[1])
            return .json(["dropped": .string(path[1])])
        case ("GET", "tables", 3) where path[2] == "records": return try records(path[1])
        case ("GET", "tables", 3) where path[2] == "digest": return try digest(path[1])
        default: return .json(["error": "no such control", "see": .string(FakePaths.control)], status: 404)
        }
    }

    private static let index: JSONValue = [
        "GET organizations": "ids, workspaces, tables with record counts (?limit=, default 1000)",
        "GET ledger": "what reached the token endpoint (?organization=, ?totals=true)",
        "GET tokens": "every token as plain text, one a line (?organization= for its valid refresh tokens only)",
        "GET requests": "request log (?after=)",
        "GET|POST|DELETE faults": "list; add one rule or a list of them; remove all or ?id=",
        "POST sessions": "{organization} -> access_token",
        "POST grants": "{organization} -> access_token, refresh_token",
        "POST invalidate-access-token": "{organization} or {access_token}",
        "POST revoke": "{organization}",
        "GET|POST clock": "{advanceSeconds}",
        "POST edit": "{table, edits: [...]} or {table, random: {count, seed}}",
        "POST tables": "{organization, name, records, workspace?}",
        "GET|DELETE tables/{id}": "one table",
        "GET tables/{id}/records": "every record as one line of canonical JSON",
        "GET tables/{id}/digest": "one text for all records, whatever their order",
    ]

    func text(_ body: JSONValue, _ name: String) throws -> String {
        guard let text = body[name].stringValue else { throw EditRefused("expected a string \"\(name)\"") }
        return text
    }

    /// Codable values of the in-process API.
    func encode(_ value: some Encodable) throws -> FakeReply {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return .json(Array(try encoder.encode(value)))
    }
}
