import Foundation
import JobQueue
import LeaseholdCore
import SQLFiles

extension PageRoutes {
    /// Which jobs to show; every part of it stands in the address.
    struct JobSearch {
        var state: String?
        var queue: String?
        var kind: String?
        var tenant: String?
        var label: String?
        var hasError: Bool?
        var before: Int64?

        /// - Parameter fields: of an address or a form.
        init(_ fields: [String: String]) {
            let fields = fields.filter { !$0.value.isEmpty }
            state = fields["state"].flatMap(JobState.init(rawValue:))?.rawValue
            queue = fields["queue"].flatMap(QueueName.init(rawValue:))?.rawValue
            kind = fields["kind"].flatMap(JobKind.init(rawValue:))?.rawValue
            tenant = fields["tenant"].flatMap(TenantID.init(rawValue:))?.rawValue
            label = fields["label"].flatMap { $0.utf8.count <= 200 && !$0.contains("\0") ? $0 : nil }
            hasError = fields["error"].map { $0 == "yes" }
            before = fields["before"].flatMap { Int64($0) }
        }

        /// Without the place in the list.
        var members: [(name: String, value: String?)] {
            [
                ("state", state), ("queue", queue), ("kind", kind), ("tenant", tenant), ("label", label),
                ("error", hasError.map { $0 ? "yes" : "no" }),
            ]
        }

        func address(before: Int64? = nil) -> String {
            let members = members + [("before", before.map { String($0) })]
            return PageFrame.address("/jobs", Dictionary(uniqueKeysWithValues: members.map { ($0.name, $0.value) }))
        }

        /// Whether it lets through some jobs only, by what many jobs can be chosen by.
        var narrows: Bool { tenant != nil || queue != nil || kind != nil || label != nil }

        var selection: JobSelection {
            get throws {
                JobSelection(
                    tenant: try tenant.map { try TenantID($0) },
                    queue: try queue.map { try QueueName($0) },
                    kind: try kind.map { try JobKind($0) },
                    state: state.flatMap(JobState.init(rawValue:)),
                    errorLabel: label
                )
            }
        }
    }

    @Sendable func jobs(_ request: ControlRequest) async throws -> PageView {
        // A number is the id of a job, wherever it is typed.
        if let id = request.query("id"), Int64(id) != nil {
            throw PageRedirect(path: "/jobs/\(queryEncoded(id))")
        }
        let search = JobSearch(request.query)
        var view = PageView("Jobs")
        let (rows, goesOn, caption) = try await find(search)
        view.filter = Self.filter(search)
        view.actions = manyActions(search, request)
        view.tables = [try Self.table(caption, rows)]
        if let goesOn {
            view.next = PageLink(label: "Older jobs, before \(goesOn)", target: search.address(before: goesOn))
        }
        return view
    }

    private func find(_ search: JobSearch) async throws -> (rows: [PageRow], goesOn: Int64?, caption: String) {
        let size = PageStore.pageSize
        if let tenant = search.tenant {
            let rows = try await store.rows(
                .pageJobsOfTenant,
                tenant,
                search.queue,
                search.kind,
                search.state,
                search.hasError,
                search.before,
                size,
                search.label
            )
            let last = try rows.count < Int(size) ? nil : rows.last?.number("job_id").map { Int64($0) }
            return (rows, last, "Running, next in line, parked and newest of \(tenant)")
        }
        if search.hasError == nil && search.before == nil && search.label == nil {
            switch search.state {
            case "running":
                return (
                    try await store.rows(.pageJobsRunning, search.queue, search.kind, size), nil,
                    "Running, longest first"
                )
            case "scheduled":
                return (try await store.rows(.pageJobsScheduled, search.queue, search.kind, size), nil, "Next due")
            case "parked":
                return (
                    try await store.rows(.pageJobsParked, search.queue, search.kind, size), nil, "Parked, by tenant"
                )
            default: break
            }
        }
        let rows = try await store.rows(
            .pageJobs,
            search.queue,
            search.kind,
            search.state,
            search.hasError,
            search.before,
            size,
            search.label
        )
        let goesOn = try rows.first?.number("goes_on").map { Int64($0) }
        return (try rows.filter { try $0.number("job_id") != nil }, goesOn, "Newest first")
    }

    private static func filter(_ search: JobSearch) -> PageFilter {
        var filter = PageFilter(path: "/jobs")
        filter.inputs = [
            PageInput(name: "tenant", title: "Tenant", value: search.tenant ?? "", hint: "acme"),
            PageInput(name: "kind", title: "Kind", value: search.kind ?? "", hint: "report.build"),
            PageInput(name: "queue", title: "Queue", value: search.queue ?? "", hint: "default"),
            PageInput(name: "label", title: "Error", value: search.label ?? "", hint: "timeout"),
            PageInput(name: "id", title: "Job id", value: "", hint: "42"),
        ]
        let error = search.hasError.map { $0 ? "yes" : "no" }
        filter.choices = [
            PageChoice(name: "state", title: "State", values: JobState.allCases.map(\.rawValue), current: search.state),
            PageChoice(name: "error", title: "Has an error", values: ["yes", "no"], current: error),
        ]
        filter.clear = search.address() == "/jobs" ? nil : "/jobs"
        return filter
    }

    static func table(_ caption: String, _ rows: [PageRow]) throws -> PageTable {
        PageTable(
            caption,
            ["Job", "State", "Kind", "Tenant", "Queue", "Attempt", "Enqueued", "Ended", "Error"],
            empty: "No job fits.",
            rows: try rows.map { row in
                let now = try row.now()
                let state = try row.text("state") ?? ""
                let reason = try row.text("park_reason")
                return [
                    .job(try row.number("job_id")),
                    PageCell(reason.map { "\(state) (\($0))" } ?? state, tone: "state \(PageCell.tone(of: state))"),
                    PageCell(try row.text("kind")), .tenant(try row.text("tenant_id") ?? ""),
                    PageCell(try row.text("queue")),
                    PageCell(
                        "\(PageFormat.number(try row.number("attempt")) ?? "0") of \(PageFormat.number(try row.number("max_attempts")) ?? "0")",
                        tone: "num"
                    ),
                    .time(try row.date("created_at"), from: now), .time(try row.date("ended_at"), from: now),
                    PageCell(try row.text("last_error_label"), tone: "bad"),
                ]
            }
        )
    }
}
