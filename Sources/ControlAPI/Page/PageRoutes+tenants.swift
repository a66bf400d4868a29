import HTTPTypes
import JobQueue
import LeaseholdCore
import SQLFiles

extension PageRoutes {
    @Sendable func tenantList(_ request: ControlRequest) async throws -> PageView {
        let from = request.query("from")
        var view = PageView("Tenants")
        let size: Int32 = 25
        let rows = try await store.rows(.pageTenants, from, request.query("after"), size)
        view.filter = PageFilter(
            path: "/tenants",
            inputs: [PageInput(name: "from", title: "From id", value: from ?? "", hint: "ac")],
            clear: from == nil ? nil : "/tenants"
        )
        view.tables = [try Self.tenantTable(rows)]
        if rows.count == Int(size), let last = try rows.last?.text("tenant_id") {
            view.next = PageLink(
                label: "After \(last)",
                target: PageFrame.address("/tenants", ["after": last, "from": from])
            )
        }
        return view
    }

    private static func tenantTable(_ rows: [PageRow]) throws -> PageTable {
        PageTable(
            "In the order of their ids",
            ["Tenant", "Name", "State", "Waiting", "Running", "Oldest", "Received", "Due", "Token"],
            empty: "No tenant from there on.",
            rows: try rows.map { row in
                let isAtCap = try row.flag("is_at_cap")
                return [
                    .tenant(try row.text("tenant_id") ?? ""), PageCell(try row.text("name")),
                    .state(try tenantState(row)),
                    PageCell(try waiting(row), tone: "num"),
                    PageCell(
                        (PageFormat.number(try row.number("running")) ?? "0") + (isAtCap ? " (at its cap)" : ""),
                        tone: isAtCap ? "num warn" : "num"
                    ),
                    .span(try row.number("oldest_ready_seconds")),
                    PageCell(PageFormat.percent(try row.number("share_received")), tone: "num"),
                    PageCell(PageFormat.percent(try row.number("share_due")), tone: "num"),
                    .state(try row.text("token_state") ?? "none"),
                ]
            }
        )
    }

    private static func tenantState(_ row: PageRow) throws -> String {
        try row.flag("is_held") ? "parked" : try row.text("state") ?? ""
    }

    private static func waiting(_ row: PageRow) throws -> String {
        (PageFormat.number(try row.number("waiting")) ?? "0") + (try row.flag("waiting_is_minimum") ? " or more" : "")
    }

    /// One tenant: is it served as it should be, and if not, why.
    @Sendable func tenant(_ request: ControlRequest) async throws -> PageView {
        let tenant = try request.tenant()
        // The list from there on, one long, begins with it if there is such a tenant.
        let found = try await store.rows(.pageTenants, tenant.rawValue, String?.none, Int32(1)).first
        guard let row = found, try row.text("tenant_id") == tenant.rawValue else {
            throw UnknownTenantOnPage.problem(tenant)
        }
        var view = PageView("Tenant \(tenant)", lead: try row.text("name").flatMap { $0.isEmpty ? nil : $0 })
        view.facts = try Self.shareFacts(row) + Self.limitFacts(row)
        view.actions = try buttons(for: tenant, row, request)
        if connects, request.caller?.may(.tokensWrite) ?? false {
            let target = "/v1/tenants/\(pathEncoded(tenant.rawValue))/connect"
            view.links = [PageLink(label: "Connect it in this browser", target: target)]
        }
        view.plots = [try Self.waitPlot(row)]
        view.tables = try await tables(of: tenant)
        if let token = try await store.rows(.pageToken, tenant.rawValue).first {
            view.facts += try Self.tokenFacts(token)
            view.tables.append(
                try Self.exchangeTable(try await store.rows(.pageExchanges, tenant.rawValue, Int32(20)))
            )
        }
        let done = try await actions.list(tenant: tenant, limit: 10)
        if !done.isEmpty { view.tables.append(Self.actionTable("Done by hand", done)) }
        view.next = PageLink(label: "All its jobs", target: "/jobs?tenant=\(queryEncoded(tenant.rawValue))")
        return view
    }

    private func buttons(for tenant: TenantID, _ row: PageRow, _ request: ControlRequest) throws -> [PageAction] {
        let path = "/tenants/\(pathEncoded(tenant.rawValue))"
        let steer =
            try row.text("state") == "paused"
            ? action("Resume", path + "/resume", needs: .tenantsWrite, request)
            : action(
                "Pause",
                path + "/pause",
                needs: .tenantsWrite,
                question: "Claim nothing more of \(tenant)? What runs finishes.",
                request
            )
        return try steer + limitAction("Change limits", path + "/limits", needs: .tenantsWrite, row, request)
    }

    private func tables(of tenant: TenantID) async throws -> [PageTable] {
        let jobs = try await store.rows(
            .pageJobsOfTenant,
            tenant.rawValue,
            String?.none,
            String?.none,
            String?.none,
            Bool?.none,
            Int64?.none,
            Int32(20),
            String?.none
        )
        return [
            try Self.laneTable(try await store.rows(.pageLanes, tenant.rawValue)),
            try Self.table("Jobs", jobs),
            try Self.syncTable(try await store.rows(.pageSyncOfTenant, tenant.rawValue, Int32(50))),
        ]
    }

    private static func shareFacts(_ row: PageRow) throws -> [PageFact] {
        let (received, due) = (try row.number("share_received"), try row.number("share_due"))
        let isShort = (due ?? 0) > 0 && (received ?? 0) < (due ?? 0) / 2
        return [
            PageFact(
                "State",
                try tenantState(row),
                note: try row.text("held_reason"),
                tone: PageCell.tone(of: try tenantState(row))
            ),
            PageFact(
                "Share received",
                PageFormat.percent(received) ?? "–",
                note: "of all running time, 5 min",
                tone: isShort ? "warn" : ""
            ),
            PageFact("Share due", PageFormat.percent(due) ?? "–", note: due == nil ? "nothing waits" : "by weight"),
            PageFact("Waiting", try waiting(row)),
            PageFact("Oldest wait", PageFormat.span(try row.number("oldest_ready_seconds")) ?? "–"),
            PageFact("Parked", PageFormat.number(try row.number("parked")) ?? "0"),
        ]
    }

    private static func limitFacts(_ row: PageRow) throws -> [PageFact] {
        let isAtCap = try row.flag("is_at_cap")
        return [
            PageFact(
                "Running",
                PageFormat.number(try row.number("running")) ?? "0",
                note: try row.number("max_running").map {
                    "cap \(PageFormat.number($0) ?? "")\(isAtCap ? ", reached" : "")"
                } ?? "no cap",
                tone: isAtCap ? "warn" : ""
            ),
            PageFact("Rate limit", PageFormat.rate(try row.number("rate_per_second")) ?? "none"),
            PageFact("Weight", PageFormat.number(try row.number("weight")) ?? "1"),
        ]
    }

    private static func tokenFacts(_ row: PageRow) throws -> [PageFact] {
        let now = try row.now()
        let state = try row.text("state") ?? ""
        let expires = try row.date("access_expires_at")
        let due = try row.date("refresh_due_at")
        return [
            PageFact("Token", state, note: try row.text("suspect_reason"), tone: PageCell.tone(of: state)),
            PageFact("Generation", PageFormat.number(try row.number("generation")) ?? "0"),
            PageFact(
                "Access token expires",
                PageFormat.distance(expires, from: now) ?? "–",
                note: PageFormat.stamp(expires)
            ),
            PageFact("Refresh due", PageFormat.distance(due, from: now) ?? "–", note: PageFormat.stamp(due)),
            PageFact(
                "Failures in a row",
                PageFormat.number(try row.number("failures")) ?? "0",
                note: try row.text("last_error_class"),
                tone: try row.number("failures") ?? 0 > 0 ? "warn" : ""
            ),
        ]
    }

    private static func waitPlot(_ row: PageRow) throws -> PagePlot {
        let causes: [(swatch: String, title: String, column: String)] = [
            ("one", "not its turn", "wait_turn_seconds"), ("warn", "at its limit", "wait_limit_seconds"),
            ("quiet", "no worker free", "wait_worker_seconds"), ("two", "parked", "wait_parked_seconds"),
        ]
        var stretches: [PagePlot.Stretch] = []
        var words: [String] = []
        var at = 0.0
        for cause in causes {
            let seconds = try row.number(cause.column) ?? 0
            guard seconds > 0 else { continue }
            stretches.append(PagePlot.Stretch(swatch: cause.swatch, from: at, to: at + seconds))
            words.append("\(cause.title) \(PageFormat.span(seconds) ?? "")")
            at += seconds
        }
        return .line(
            "Why its last runs had waited",
            stretches,
            legend: causes.map { PageLegend(swatch: $0.swatch, title: $0.title) },
            summary: words.isEmpty ? "They had not." : words.joined(separator: ", ") + "."
        )
    }

    private static func laneTable(_ rows: [PageRow]) throws -> PageTable {
        PageTable(
            "Where it waits",
            ["Queue", "Kind", "State", "Since", "Opens", "Waiting", "Oldest", "Ahead"],
            empty: "Nowhere.",
            rows: try rows.map { row in
                [
                    PageCell(try row.text("queue")), PageCell(try row.text("kind") ?? "any"),
                    .state(try row.text("state") ?? ""), .span(try row.number("state_seconds")),
                    .time(try row.date("opens_at"), from: try row.now()), PageCell(try waiting(row), tone: "num"),
                    .span(try row.number("oldest_ready_seconds")), .span(try row.number("ahead_seconds")),
                ]
            }
        )
    }

    private static func exchangeTable(_ rows: [PageRow]) throws -> PageTable {
        PageTable(
            "Exchanges",
            ["Generation", "Rung", "Grant", "Started", "Took", "Outcome", "Error", "HTTP"],
            empty: "None yet.",
            rows: try rows.map { row in
                [
                    .number(try row.number("generation")), PageCell(try row.text("rung")),
                    PageCell(try row.text("grant_kind")), .time(try row.date("started_at"), from: try row.now()),
                    .span(try row.number("took_seconds")), .state(try row.text("outcome") ?? ""),
                    PageCell(try row.text("error_class"), tone: "bad"), .number(try row.number("http_status")),
                ]
            }
        )
    }
}

private enum UnknownTenantOnPage {
    static func problem(_ tenant: TenantID) -> Problem {
        Problem(
            .notFound,
            "unknown_tenant",
            "expected a tenant that was added, got \"\(tenant)\"",
            hint: "leasehold tenants add \(tenant)"
        )
    }
}
