import Foundation
import LeaseholdCore
import SQLFiles

extension PageRoutes {
    @Sendable func queues(_ request: ControlRequest) async throws -> PageView {
        var view = PageView("Queues")
        let rows = try await store.rows(.pageQueues)
        view.tables = [
            PageTable(
                "All queues",
                [
                    "Queue", "State", "Ready", "Running", "Scheduled", "Parked", "Oldest", "Tenants waiting", "Workers",
                    "Completed", "Limits",
                ],
                empty: "No queue has settings, workers or jobs.",
                rows: try rows.map(Self.queueCells)
            )
        ]
        for row in rows {
            guard let name = try row.text("queue") else { continue }
            let path = "/queues/\(pathEncoded(name))"
            view.actions +=
                try row.flag("is_paused")
                ? action("Resume \(name)", path + "/resume", needs: .jobsWrite, request)
                : action(
                    "Pause \(name)",
                    path + "/pause",
                    needs: .jobsWrite,
                    question: "Claim nothing more of the queue \(name)? What runs finishes.",
                    request
                )
            view.actions += try limitAction("Limits of \(name)", path + "/limits", needs: .jobsWrite, row, request)
        }
        return view
    }

    private static func queueCells(_ row: PageRow) throws -> [PageCell] {
        let estimated = Set(try row.texts("estimated"))
        let name = try row.text("queue") ?? ""
        func count(_ column: String) throws -> PageCell {
            let text = (PageFormat.number(try row.number(column)) ?? "0")
            return PageCell(
                estimated.contains(column) ? "about \(text)" : text,
                link: "/jobs?queue=\(queryEncoded(name))&state=\(column)",
                tone: "num"
            )
        }
        let isUnserved = try row.number("workers") ?? 0 == 0 && row.number("ready") ?? 0 > 0
        var limits: [String] = []
        if let most = PageFormat.number(try row.number("max_running")) { limits.append("\(most) running") }
        if let rate = PageFormat.rate(try row.number("rate_per_second")) { limits.append(rate) }
        return [
            PageCell(name), .state(try row.flag("is_paused") ? "paused" : "open"), try count("ready"),
            try count("running"), try count("scheduled"), try count("parked"),
            .span(try row.number("oldest_ready_seconds")), .number(try row.number("tenants_waiting")),
            .number(try row.number("workers"), tone: isUnserved ? "bad" : ""),
            PageCell(PageFormat.rate(try row.number("completed_per_second")), tone: "num"),
            PageCell(limits.isEmpty ? "none" : limits.joined(separator: ", ")),
        ]
    }

    @Sendable func tokens(_ request: ControlRequest) async throws -> PageView {
        let states = ["active", "needs_authorization", "empty"]
        let state = request.query("state").flatMap { states.contains($0) ? $0 : nil }
        var view = PageView("Tokens", lead: "State and times of the tenants' credentials. No page shows a token.")
        let rows = try await store.rows(.pageTokens, state, request.query("after"), PageStore.pageSize)
        view.filter = PageFilter(
            path: "/tokens",
            choices: [PageChoice(name: "state", title: "State", values: states, current: state)],
            clear: state == nil ? nil : "/tokens"
        )
        view.tables = [
            PageTable(
                "By tenant",
                ["Tenant", "State", "Generation", "Expires", "Refresh due", "Failures", "Last exchange", "Outcome"],
                empty: "No credential fits.",
                rows: try rows.map { row in
                    let now = try row.now()
                    let failures = try row.number("failures") ?? 0
                    let error = try row.text("last_error_class")
                    return [
                        .tenant(try row.text("tenant_id") ?? ""), .state(try row.text("state") ?? ""),
                        .number(try row.number("generation")), .time(try row.date("access_expires_at"), from: now),
                        .time(try row.date("refresh_due_at"), from: now),
                        .number(failures, tone: failures > 0 ? "warn" : ""),
                        .time(try row.date("last_exchange_at"), from: now),
                        PageCell([try row.text("last_outcome"), error].compactMap { $0 }.joined(separator: ": ")),
                    ]
                }
            )
        ]
        if rows.count == Int(PageStore.pageSize), let last = try rows.last?.text("tenant_id") {
            view.next = PageLink(
                label: "After \(last)",
                target: PageFrame.address("/tokens", ["after": last, "state": state])
            )
        }
        return view
    }

    @Sendable func workers(_ request: ControlRequest) async throws -> PageView {
        var view = PageView("Workers")
        view.tables = [
            PageTable(
                "Workers of the last day",
                [
                    "Name", "Host", "State", "Running", "Last sign of life", "Oldest run", "Queues", "Started",
                    "Version",
                ],
                empty: "None has registered.",
                rows: try await store.rows(.pageWorkers).map { row in
                    let now = try row.now()
                    let running = PageFormat.number(try row.number("running")) ?? "0"
                    let places = PageFormat.number(try row.number("concurrency")) ?? "0"
                    let more = try row.flag("running_is_minimum") ? " or more" : ""
                    let id = try row.text("worker_id")
                    return [
                        PageCell(try row.text("name"), exact: id), PageCell(try row.text("host")),
                        .state(try row.text("state") ?? ""),
                        PageCell("\(running)\(more) of \(places)", tone: "num"),
                        .span(try row.number("heartbeat_seconds")),
                        .span(try row.date("oldest_claimed_at").map { now.timeIntervalSince($0) }),
                        PageCell(try row.texts("queues").joined(separator: ", ")),
                        .time(try row.date("started_at"), from: now), PageCell(try row.text("version")),
                    ]
                }
            )
        ]
        return view
    }

    @Sendable func errors(_ request: ControlRequest) async throws -> PageView {
        var view = PageView(
            "Errors",
            lead:
                "Failed attempts of the last 24 hours; alike are those that differ only in numbers, ids and quoted words."
        )
        view.tables = [
            PageTable(
                "Most frequent first",
                ["Kind", "Error", "Text", "Attempts", "Jobs", "Tenants", "First", "Last", "Example"],
                empty: "Nothing failed.",
                rows: try await store.rows(.pageErrors).map { row in
                    let now = try row.now()
                    let attempts = PageFormat.number(try row.number("attempts")) ?? "0"
                    return [
                        PageCell(try row.text("kind")),
                        PageCell(try row.text("error_label"), link: try jobsLink(row), tone: "bad"),
                        PageCell(try row.text("error")),
                        PageCell(try row.flag("attempts_is_minimum") ? "\(attempts) or more" : attempts, tone: "num"),
                        .number(try row.number("jobs")), .number(try row.number("tenants")),
                        .time(try row.date("first_at"), from: now), .time(try row.date("last_at"), from: now),
                        .job(try row.number("last_job_id")),
                    ]
                }
            )
        ]
        return view
    }

    /// The discarded jobs of an error, to run them again when it is mended.
    private func jobsLink(_ row: PageRow) throws -> String? {
        guard let kind = try row.text("kind"), let label = try row.text("error_label") else { return nil }
        return PageFrame.address("/jobs", ["kind": kind, "label": label, "state": "discarded"])
    }

    @Sendable func schedules(_ request: ControlRequest) async throws -> PageView {
        var view = PageView("Schedules")
        let after = request.query("after").flatMap { Int64($0) }
        let rows = try await store.rows(.pageSchedules, after, PageStore.pageSize)
        view.tables = [
            PageTable(
                "By id",
                ["Name", "Tenant", "Kind", "Queue", "When", "Next", "Last", "Last job", "State"],
                empty: "There is none.",
                rows: try rows.map { row in
                    let now = try row.now()
                    let every = PageFormat.span(try row.number("every_seconds")).map { "every \($0)" }
                    let cron = try row.text("cron").map { cron in "\(cron) \((try? row.text("time_zone")) ?? "")" }
                    let isLate = try row.flag("is_late")
                    let tenant = try row.text("tenant_id")
                    let members = try row.text("members") ?? ""
                    return [
                        PageCell(try row.text("name")), tenant.map { .tenant($0) } ?? PageCell("every \(members) one"),
                        PageCell(try row.text("kind")), PageCell(try row.text("queue")), PageCell(every ?? cron),
                        .time(try row.date("next_at"), from: now, tone: isLate ? "bad" : ""),
                        .time(try row.date("last_at"), from: now), .job(try row.number("last_job_id")),
                        .state(try row.flag("is_paused") ? "paused" : isLate ? "late" : "open"),
                    ]
                }
            )
        ]
        if rows.count == Int(PageStore.pageSize), let last = try rows.last?.number("schedule_id") {
            view.next = PageLink(label: "More", target: "/schedules?after=\(Int64(last))")
        }
        return view
    }

    @Sendable func syncs(_ request: ControlRequest) async throws -> PageView {
        var view = PageView("Syncs")
        view.tables = [
            PageTable(
                "Last readings of tables",
                ["Tenant", "Table", "State", "Mode", "Records", "New", "Changed", "Gone", "Took", "Ended", "Job"],
                empty: "None has ended yet.",
                rows: try await store.rows(.pageSyncRuns, PageStore.pageSize).map { row in
                    let reason = try row.text("reason")
                    let state = try row.text("state") ?? ""
                    return [
                        .tenant(try row.text("tenant_id") ?? ""), PageCell(try row.text("table_name")),
                        PageCell(reason.map { "\(state): \($0)" } ?? state, tone: "state \(PageCell.tone(of: state))"),
                        PageCell(try row.text("mode")), .number(try row.number("rows")),
                        .number(try row.number("inserted")), .number(try row.number("updated")),
                        .number(try row.number("deleted")), .span(try row.number("took_seconds")),
                        .time(try row.date("finished_at"), from: try row.now()), .job(try row.number("job_id")),
                    ]
                }
            )
        ]
        return view
    }

    static func syncTable(_ rows: [PageRow]) throws -> PageTable {
        PageTable(
            "Mirrored tables",
            ["Table", "State", "Records", "Last whole", "Reading", "Last run"],
            empty: "None is mirrored.",
            rows: try rows.map { row in
                let reason = try row.text("last_reason")
                let last = try row.text("last_state") ?? ""
                return [
                    PageCell(try row.text("table_name")), .state(try row.text("state") ?? ""),
                    .number(try row.number("record_count")), .time(try row.date("synced_at"), from: try row.now()),
                    PageCell(try PageFormat.percent(row.number("reading_share")) ?? row.text("reading_mode")),
                    PageCell(reason.map { "\(last): \($0)" } ?? last),
                ]
            }
        )
    }
}
