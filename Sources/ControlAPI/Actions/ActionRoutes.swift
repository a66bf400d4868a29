import Foundation
import Hummingbird
import JobQueue
import LeaseholdCore
import Postgres

/// Who did what by hand.
struct ActionRoutes: Sendable {
    let log: ActionLog

    var routes: [Route] { [Route(.get, "/v1/actions", .key(.tenantsRead), list)] }

    @Sendable private func list(_ request: ControlRequest) async throws -> Response {
        let named = try request.query("tenant").map { try TenantID($0) }
        if let named { try request.caller?.mustSee(named) }
        let records = try await log.list(
            tenant: named ?? request.caller?.tenant,
            before: try Self.number("before", request),
            limit: Int(try Self.number("limit", request) ?? 50)
        )
        return .json("{\"actions\":[\(records.map(Self.text).joined(separator: ","))]}")
    }

    private static func number(_ name: String, _ request: ControlRequest) throws -> Int64? {
        guard let text = request.query(name) else { return nil }
        guard let number = Int64(text), number > 0, name != "limit" || number <= 1000 else {
            throw Problem(
                .badRequest,
                "invalid_\(name)",
                "expected \(name) to be a whole number from 1\(name == "limit" ? " to 1000" : ""), got \"\(text.prefix(40))\""
            )
        }
        return number
    }

    private static func text(_ record: ActionRecord) -> String {
        var object = JSONObjectText()
        object.set("id", json: String(record.id))
        object.set("done_at", record.doneAt)
        object.set("actor", record.actor)
        object.set("via", record.via)
        object.set("verb", record.verb)
        object.set("object", record.object)
        object.set("name", record.name)
        object.set("tenant", record.tenant)
        object.set("job", json: record.job?.description ?? "null")
        object.set("count", json: String(record.count))
        object.set("detail", json: record.detail)
        return object.text
    }
}

extension ControlRequest {
    /// In whose name something is done.
    func source(_ via: ActionSource.Via) -> ActionSource {
        ActionSource(via, caller.map { "\($0.name) (key \($0.keyID))" } ?? "")
    }
}
