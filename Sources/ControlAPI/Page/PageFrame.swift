import HTTPTypes
import Hummingbird

/// What is round every page: the list of pages, who is logged in, and the switch for live refresh.
struct PageFrame {
    static let pages: [(label: String, target: String)] = [
        ("Overview", "/"), ("Jobs", "/jobs"), ("Queues", "/queues"), ("Tenants", "/tenants"), ("Tokens", "/tokens"),
        ("Workers", "/workers"), ("Errors", "/errors"), ("Schedules", "/schedules"), ("Syncs", "/syncs"),
        ("Actions", "/actions"),
    ]

    static func response(_ view: PageView, _ request: ControlRequest) -> Response {
        var view = view
        let path = request.raw.uri.path
        view.nav = pages.map { page in
            let isCurrent = page.target == "/" ? path == "/" : path == page.target || path.hasPrefix(page.target + "/")
            return PageLink(label: page.label, target: page.target, isCurrent: isCurrent)
        }
        view.caller = request.caller?.name ?? ""
        view.formToken = request.caller?.formToken ?? ""
        view.notice = view.notice ?? notice(request)
        view.hasFacts = !view.facts.isEmpty
        view.hasActions = !view.actions.isEmpty
        let kept = request.query.filter { !["refresh", "done", "count", "left"].contains($0.key) }
        if request.query("refresh") == "10" {
            view.refreshSeconds = 10
            view.refreshLink = PageLink(label: "Stop refreshing", target: address(path, kept))
        } else {
            view.refreshLink = PageLink(
                label: "Refresh every 10 s",
                target: address(path, kept.merging(["refresh": "10"]) { $1 })
            )
        }
        return PageMessage.html(PageTemplates.render("view", view))
    }

    /// A path with a query whose members stand in the order of their names.
    static func address(_ path: String, _ query: [String: String?]) -> String {
        let members = query.compactMap { name, value in value.map { (name, $0) } }
            .filter { !$0.1.isEmpty }
            .sorted { $0.0 < $1.0 }
            .map { "\(queryEncoded($0.0))=\(queryEncoded($0.1))" }
        return members.isEmpty ? path : path + "?" + members.joined(separator: "&")
    }

    private static func notice(_ request: ControlRequest) -> String? {
        let word = request.query("done") ?? ""
        guard let many = many[word], let count = request.query("count").flatMap({ Int64($0) }), count >= 0 else {
            return done[word]
        }
        let left = request.query("left") == "1" ? " More match: press again to go on." : ""
        return "\(many): \(PageFormat.number(Double(count)) ?? "").\(left)"
    }

    private static let many = [
        "retry-many": "Jobs that will run again", "cancel-many": "Jobs cancelled or asked to stop",
        "discard-many": "Jobs discarded",
    ]

    /// What was done before the browser came here. Words of our own: the address may be anybody's.
    private static let done: [String: String] = [
        "discarded": "The job is discarded.", "runs": "The job was left alone: it runs, or has ended.",
        "rescheduled": "The job has another time.", "retried": "The job will run again.",
        "cancelled": "The job is cancelled, or was asked to stop.",
        "limited": "The limits are set; they count from the next claim on.",
        "paused": "Paused. What runs finishes, and enqueuing goes on.", "resumed": "It goes on.",
    ]
}
