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
        var hasError: Bool?
        var before: Int64?

        init(_ request: ControlRequest) {
            state = request.query("state").flatMap(JobState.init(rawValue:))?.rawValue
            queue = request.query("queue").flatMap(QueueName.init(rawValue:))?.rawValue
            kind = request.query("kind").flatMap(JobKind.init(rawValue:))?.rawValue
            tenant = request.query("tenant").flatMap(TenantID.init(rawValue:))?.rawValue
            hasError = request.query("error").map { $0 == "yes" }
            before = request.query("before").flatMap { Int64($0) }
        }

        func address(before: Int64? = nil) -> String {
            PageFrame.address(
                "/jobs",
                [
                    "state": state, "queue": queue, "kind": kind, "tenant": tenant,
                    "error": hasError.map { $0 ? "yes" : "no" }, "before": before.map { String($0) },
                ]
            )
        }
    }

    @Sendable func jobs(_ request: ControlRequest) async throws -> PageView {
        // A number is the id of a job, wherever it is typed.
        if let id = request.query("id"), Int64(id) != nil {
            throw PageRedirect(path: "/jobs/\(queryEncoded(id))")
        }
        let search = JobSearch(request)
        var view = PageView("Jobs")
        let (rows, goesOn, caption) = try await find(search)
        view.filter = Self.filter(search)
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
                size
            )
            let last = try rows.count < Int(size) ? nil : rows.last?.number("job_id").map { Int64($0) }
            return (rows, last, "Running, next in line, parked and newest of \(tenant)")
        }
        if search.hasError == nil && search.before == nil {
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
            size
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
