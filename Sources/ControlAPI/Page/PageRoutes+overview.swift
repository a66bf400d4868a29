import LeaseholdCore
import SQLFiles

extension PageRoutes {
    /// The whole system at a glance: what is wrong first, then numbers.
    @Sendable func overview(_ request: ControlRequest) async throws -> PageView {
        var view = PageView("Overview")
        // Three connections at once: this is the page that is looked at first, and each of them takes its time.
        async let ended = store.rows(.pageThroughput)
        async let pressed = store.rows(.pagePressure)
        guard let row = try await store.rows(.pageOverview).first else { return view }
        view.alerts = try Self.alerts(row)
        view.facts = try Self.facts(row)
        view.plots = try Self.plots(try await ended)
        view.tables = [try Self.pressureTable(try await pressed)]
        return view
    }

    private static func alerts(_ row: PageRow) throws -> [PageAlert] {
        var alerts: [PageAlert] = []
        func alert(_ column: String, _ tone: String, _ target: String, _ text: (String) -> String) throws {
            guard let count = try row.number(column), count > 0, let number = PageFormat.number(count) else { return }
            alerts.append(PageAlert(tone: tone, text: text(number), target: target))
        }
        try alert("providers_closed", "bad", "/tokens") { "Token endpoints that take no exchanges now: \($0)" }
        try alert("tokens_needing_authorization", "bad", "/tokens?state=needs_authorization") {
            "Tenants that have to log in again: \($0)"
        }
        try alert("tokens_troubled", "warn", "/tokens") {
            "Credentials that failed to refresh and are tried again: \($0)"
        }
        try alert("workers_silent", "bad", "/workers") { "Workers that give no sign of life: \($0)" }
        let ready = try row.number("ready") ?? 0
        if ready > 0, try row.number("workers") ?? 0 == 0 {
            alerts.append(
                PageAlert(tone: "bad", text: "Jobs are ready and no worker is there to take them", target: "/workers")
            )
        }
        return alerts
    }

    private static func facts(_ row: PageRow) throws -> [PageFact] {
        let estimated = Set(try row.texts("estimated"))
        func count(_ title: String, _ column: String, _ target: String) throws -> PageFact {
            PageFact(
                title,
                PageFormat.number(try row.number(column) ?? 0) ?? "0",
                note: estimated.contains(column) ? "estimate" : nil,
                link: target
            )
        }
        return [
            try count("Ready", "ready", "/jobs?state=ready"),
            try count("Running", "running", "/jobs?state=running"),
            try count("Scheduled", "scheduled", "/jobs?state=scheduled"),
            try count("Parked", "parked", "/jobs?state=parked"),
            PageFact("Oldest ready", PageFormat.span(try row.number("oldest_ready_seconds")) ?? "–"),
            PageFact(
                "Completed",
                PageFormat.rate(try row.number("completed_per_second") ?? 0) ?? "–",
                note: "over 5 min"
            ),
            PageFact(
                "Discarded",
                PageFormat.rate(try row.number("discarded_per_second") ?? 0) ?? "–",
                note: "over 5 min",
                tone: try row.number("discarded_per_second") ?? 0 > 0 ? "warn" : "",
                link: "/errors"
            ),
            PageFact(
                "Workers",
                PageFormat.number(try row.number("workers") ?? 0) ?? "0",
                note: "\(PageFormat.number(try row.number("worker_places") ?? 0) ?? "0") places",
                link: "/workers"
            ),
            try count("Tenants", "tenants", "/tenants"),
        ]
    }

    private static func plots(_ rows: [PageRow]) throws -> [PagePlot] {
        func layer(_ swatch: String, _ title: String, _ column: String) throws -> PagePlot.Layer {
            PagePlot.Layer(swatch: swatch, title: title, values: try rows.map { try $0.number(column) ?? 0 })
        }
        let ended = [
            try layer("good", "completed", "completed"), try layer("bad", "discarded or cancelled", "discarded"),
            try layer("warn", "failed attempts", "failed"),
        ]
        let waits = [
            try layer("one", "not its turn", "wait_turn"), try layer("warn", "at its limit", "wait_limit"),
            try layer("quiet", "no worker free", "wait_worker"), try layer("two", "parked", "wait_parked"),
        ]
        let sums = ended.map { layer in
            "\(layer.title) \(PageFormat.number(layer.values.reduce(0, +).rounded()) ?? "0")"
        }
        let longest = waits.flatMap(\.values).max() ?? 0
        return [
            .bars("Ended per minute, last hour", ended, summary: "In all: " + sums.joined(separator: ", ") + "."),
            .bars(
                "Mean wait by cause, by minute of the end",
                waits,
                summary: "Longest mean of one cause: \(PageFormat.span(longest) ?? "0 ms")."
            ),
        ]
    }

    static func pressureTable(_ rows: [PageRow]) throws -> PageTable {
        PageTable(
            "Tenants that wait most",
            ["Tenant", "Ready", "Oldest", "State", "Lanes"],
            empty: "Nobody waits.",
            rows: try rows.map { row in
                let isEstimate = try row.flag("is_estimate")
                return [
                    .tenant(try row.text("tenant_id") ?? ""),
                    PageCell(
                        (isEstimate ? "about " : "") + (PageFormat.number(try row.number("ready")) ?? "–"),
                        tone: "num"
                    ),
                    .span(try row.number("oldest_ready_seconds")),
                    .state(try row.text("state") ?? "unknown"),
                    PageCell(try row.texts("lane_states").joined(separator: ", ")),
                ]
            }
        )
    }
}
