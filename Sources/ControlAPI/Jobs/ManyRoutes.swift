import Foundation
import Hummingbird
import JobQueue
import LeaseholdCore
import Postgres

/// Retry, cancel, discard or count the jobs that a filter lets through: a bounded batch a request, which a
/// client repeats with `before` until `goes_on` is null.
struct ManyRoutes: Sendable {
    let queue: JobQueue

    var routes: [Route] { [Route(.post, "/v1/bulk/{verb}", .key(.jobsWrite), steer)] }

    @Sendable private func steer(_ request: ControlRequest) async throws -> Response {
        guard let verb = ManyVerb(rawValue: request.parameter("verb")) else {
            let known = ManyVerb.allCases.map(\.rawValue).joined(separator: ", ")
            throw Problem(
                .notFound,
                "unknown_verb",
                "expected one of \(known), got \"\(request.parameter("verb").prefix(40))\""
            )
        }
        var (body, _) = try await request.json(ManyBody.self)
        if let bound = request.caller?.tenant {
            guard body.selection.tenant == nil || body.selection.tenant == bound else {
                throw Problem(
                    .forbidden,
                    "tenant_not_allowed",
                    "expected the tenant that the key is bound to, got \"\(body.selection.tenant?.rawValue ?? "")\""
                )
            }
            body.selection.tenant = bound
        }
        let batch = try await queue.acting(as: request.source(.api)).steer(
            verb,
            body.selection,
            before: body.before,
            limit: body.limit
        )
        var object = JSONObjectText()
        object.set("looked", json: String(batch.looked))
        object.set("matched", json: String(batch.matched))
        object.set("done", json: String(batch.done))
        object.set("refused", json: String(batch.refused))
        object.set("goes_on", json: batch.goesOn?.description ?? "null")
        return .json(object.text)
    }
}

/// What `POST /v1/bulk/{verb}` takes.
struct ManyBody: Decodable {
    var selection: JobSelection
    let before: JobID?
    let limit: Int?

    private static let names = ["tenant", "queue", "kind", "state", "error", "all", "before", "limit"]

    init(from decoder: any Decoder) throws {
        let members = try decoder.container(keyedBy: AnyKey.self)
        for key in members.allKeys where !Self.names.contains(key.stringValue) {
            throw Self.wrong(key.stringValue, "to be one of \(Self.names.joined(separator: ", "))")
        }
        func name<Name: RawRepresentable<String>>(_ member: String, _ type: Name.Type) throws -> Name? {
            guard let text = try members.decodeIfPresent(String.self, forKey: AnyKey(member)) else { return nil }
            guard let name = Name(rawValue: text) else { throw Self.wrong(member, "to be a \(member)'s name") }
            return name
        }
        selection = JobSelection(
            tenant: try name("tenant", TenantID.self),
            queue: try name("queue", QueueName.self),
            kind: try name("kind", JobKind.self),
            state: try name("state", JobState.self),
            errorLabel: try members.decodeIfPresent(String.self, forKey: AnyKey("error")),
            everything: try members.decodeIfPresent(Bool.self, forKey: AnyKey("all")) ?? false
        )
        guard selection.errorLabel.map({ $0.utf8.count <= 1000 && !$0.contains("\0") }) ?? true else {
            throw Self.wrong("error", "to be the label of an error")
        }
        before = try members.decodeIfPresent(Int64.self, forKey: AnyKey("before")).map { JobID(rawValue: $0) }
        limit = try members.decodeIfPresent(Int.self, forKey: AnyKey("limit"))
        guard (1...1000).contains(limit ?? 1) else { throw Self.wrong("limit", "to be from 1 to 1000") }
    }

    private static func wrong(_ member: String, _ expected: String) -> DecodingError {
        .dataCorrupted(.init(codingPath: [AnyKey(member)], debugDescription: expected))
    }
}
