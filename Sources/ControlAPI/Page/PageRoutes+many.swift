import Foundation
import JobQueue
import LeaseholdCore
import Postgres

/// What is done to all jobs that the filter of the list lets through, and who did such things.
extension PageRoutes {
    /// Jobs that one press of a button reaches; what is left takes another.
    private static let pressLimit = 5000

    var manyRoutes: [Route] {
        [ManyVerb.retry, .cancel, .discard].map { verb in
            action("/bulk/\(verb.rawValue)", needs: .jobsWrite) { request, form in
                let search = JobSearch(form)
                let all = try await queue.acting(as: request.source(.page)).steerAll(
                    verb,
                    try search.selection,
                    before: search.before.map { JobID(rawValue: $0) },
                    most: Self.pressLimit
                )
                var next = search
                next.before = nil
                let left = all.goesOn == nil ? "" : "&left=1"
                let address = next.address()
                return address + (address.contains("?") ? "&" : "?")
                    + "done=\(verb.rawValue)-many&count=\(all.done)\(left)"
            }
        }
    }

    /// Buttons for all jobs that match: only where something narrows them, so that nobody empties a queue
    /// by a slip.
    func manyActions(_ search: JobSearch, _ request: ControlRequest) -> [PageAction] {
        guard search.narrows, search.before == nil, search.hasError == nil else { return [] }
        let state = search.state.flatMap(JobState.init(rawValue:))
        var verbs: [(ManyVerb, String)] = []
        if state.map({ $0.hasEnded || $0 == .scheduled || $0 == .parked }) ?? true {
            let which = state == nil ? "discarded jobs" : "\(state?.rawValue ?? "") jobs"
            verbs.append((.retry, "Run again all \(which) that match"))
        }
        if !(state?.hasEnded ?? false) {
            verbs.append((.cancel, "Cancel all \(state.map { "\($0.rawValue) " } ?? "")jobs that match"))
        }
        return verbs.flatMap { verb, title in
            action(
                title,
                "/bulk/\(verb.rawValue)",
                needs: .jobsWrite,
                question: verb == .retry
                    ? "They start anew, newest first, at most \(Self.pressLimit) at a time."
                    : "Those that wait end, those that run are asked to stop; at most \(Self.pressLimit) at a time.",
                fields: search.members.compactMap { name, value in value.map { PageField(name: name, value: $0) } },
                request
            )
        }
    }

    @Sendable func actionList(_ request: ControlRequest) async throws -> PageView {
        var view = PageView("Actions", lead: "What people did by hand, on this page, by the API, a command or psql.")
        let before = request.query("before").flatMap { Int64($0) }
        let records = try await actions.list(before: before, limit: Int(PageStore.pageSize))
        view.tables = [Self.actionTable("Newest first", records)]
        if records.count == Int(PageStore.pageSize), let last = records.last?.id {
            view.next = PageLink(label: "Older", target: "/actions?before=\(last)")
        }
        return view
    }

    static func actionTable(_ caption: String, _ records: [ActionRecord]) -> PageTable {
        PageTable(
            caption,
            ["When", "Who", "By", "Did", "To", "Detail"],
            empty: "Nothing.",
            rows: records.map { record in
                [
                    .time(record.doneAt, from: record.now), PageCell(record.actor, exact: "login \(record.login)"),
                    PageCell(record.via), PageCell(record.verb),
                    PageCell(record.target, link: link(record)),
                    PageCell(words(record.detail), exact: record.detail),
                ]
            }
        )
    }

    /// `max_running – → 7`, the first 200 characters; nil for an empty object.
    static func words(_ detail: String) -> String? {
        let object = try? JSONSerialization.jsonObject(with: Data(detail.utf8)) as? [String: Any]
        let parts = (object ?? [:]).sorted { $0.key < $1.key }.map { name, value in
            guard let change = value as? [Any], change.count == 2 else { return "\(name) \(word(value))" }
            return change[0] is NSNull
                ? "\(name) \(word(change[1]))" : "\(name) \(word(change[0])) → \(word(change[1]))"
        }
        let text = parts.joined(separator: ", ")
        return text.isEmpty ? nil : text.count > 200 ? String(text.prefix(200)) + "…" : text
    }

    private static func word(_ value: Any) -> String {
        switch value {
        case is NSNull: "–"
        case let list as [Any]: list.map(word).joined(separator: " ")
        default: "\(value)"
        }
    }

    private static func link(_ record: ActionRecord) -> String? {
        if let job = record.job { return "/jobs/\(job)" }
        return record.tenant.map { "/tenants/\(pathEncoded($0))" }
    }
}
