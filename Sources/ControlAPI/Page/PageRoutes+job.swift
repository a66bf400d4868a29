import Foundation
import JobQueue
import LeaseholdCore

extension PageRoutes {
    /// One job: what it is, why it waited, what its attempts came to.
    @Sendable func job(_ request: ControlRequest) async throws -> PageView {
        let job = try await queue.show(try request.job())
        let summary = job.summary
        var view = PageView("Job \(summary.id)", lead: "\(summary.kind) of \(summary.tenant)")
        let now = Date()
        view.facts = Self.facts(job, now)
        view.actions = buttons(for: summary, request)
        view.plots = [Self.timeline(job, now)]
        view.tables = [Self.attempts(job, now)]
        let done = try await actions.list(job: summary.id, limit: 20)
        if !done.isEmpty { view.tables.append(Self.actionTable("Done by hand", done)) }
        if let error = job.lastError { view.texts.append(PageText(caption: "Last error", text: error)) }
        view.texts.append(PageText(caption: "Args", text: Self.pretty(job.args)))
        if let progress = job.progress { view.texts.append(PageText(caption: "Progress", text: Self.pretty(progress))) }
        return view
    }

    /// What can be done to it as it is.
    private func buttons(for job: JobSummary, _ request: ControlRequest) -> [PageAction] {
        func add(_ title: String, _ verb: String, _ question: String?, _ inputs: [PageInput] = []) -> [PageAction] {
            action(
                title,
                "/jobs/\(job.id)/\(verb)",
                needs: .jobsWrite,
                question: question,
                inputs: inputs,
                request
            )
        }
        let cancel = add("Cancel", "cancel", "Cancel job \(job.id)? A running one is asked to stop.")
        if job.state == .running { return cancel }
        let retry = add("Run again", "retry", nil)
        if job.state.hasEnded { return retry }
        return retry + cancel
            + add(
                "Reschedule",
                "reschedule",
                "When is job \(job.id) to run?",
                [PageInput(name: "minutes", title: "Minutes from now", value: "", hint: "30")]
            )
            + add(
                "Discard",
                "discard",
                "Give job \(job.id) up as failed? Jobs that wait for it do as after any failure."
            )
    }

    private static func facts(_ job: JobRecord, _ now: Date) -> [PageFact] {
        let summary = job.summary
        let state = summary.state.rawValue
        var facts = [
            PageFact("State", state, note: job.parkReason, tone: PageCell.tone(of: state)),
            PageFact("Tenant", summary.tenant.rawValue, link: "/tenants/\(pathEncoded(summary.tenant.rawValue))"),
            PageFact("Queue", summary.queue.rawValue),
            PageFact("Attempt", "\(summary.attempt) of \(summary.maxAttempts)"),
            PageFact("Priority", String(job.priority)),
            time("Enqueued", summary.enqueuedAt, now), time("Due", summary.runAt, now),
            time("Claimed", summary.claimedAt, now), time("Ended", summary.endedAt, now),
            PageFact("Ran", PageFormat.span(job.ranFor?.seconds) ?? "–"),
        ]
        if let worker = job.worker?.description {
            facts.append(PageFact("Worker", "\(worker.prefix(8))…", note: worker, link: "/workers"))
        }
        if job.kills > 0 { facts.append(PageFact("Workers that died on it", String(job.kills), tone: "bad")) }
        if let key = job.uniqueKey { facts.append(PageFact("Unique key", key)) }
        if let key = job.sequenceKey { facts.append(PageFact("Sequence key", key)) }
        if let trace = job.traceContext { facts.append(PageFact("Trace", trace)) }
        let waits = job.waits
        for (title, wait) in [
            ("Waited: not its turn", waits.turn), ("Waited: at its limit", waits.limit),
            ("Waited: no worker free", waits.worker), ("Waited: parked", waits.parked),
        ] where wait > .zero {
            facts.append(PageFact(title, PageFormat.span(wait.seconds) ?? "–"))
        }
        return facts
    }

    private static func time(_ title: String, _ date: Date?, _ now: Date) -> PageFact {
        PageFact(title, PageFormat.distance(date, from: now) ?? "–", note: PageFormat.stamp(date))
    }

    /// From the enqueuing to the end, or to now: waits, failed attempts, the last run.
    private static func timeline(_ job: JobRecord, _ now: Date) -> PagePlot {
        let summary = job.summary
        let start = summary.enqueuedAt.timeIntervalSince1970
        let end = max(start, (summary.endedAt ?? now).timeIntervalSince1970)
        var stretches = [PagePlot.Stretch(swatch: "quiet", from: start, to: end)]
        for attempt in job.attempts {
            guard let began = attempt.startedAt else { continue }
            stretches.append(
                PagePlot.Stretch(
                    swatch: "bad",
                    from: began.timeIntervalSince1970,
                    to: attempt.endedAt.timeIntervalSince1970
                )
            )
        }
        if let claimed = summary.claimedAt, summary.state == .running || summary.state == .completed {
            stretches.append(
                PagePlot.Stretch(
                    swatch: summary.state == .running ? "one" : "good",
                    from: claimed.timeIntervalSince1970,
                    to: end
                )
            )
        }
        let failed = "failed attempts: \(job.attempts.count)"
        return .line(
            "Timeline",
            stretches,
            legend: [
                PageLegend(swatch: "quiet", title: "waited"), PageLegend(swatch: "bad", title: "failed attempt"),
                PageLegend(swatch: "one", title: "runs"), PageLegend(swatch: "good", title: "completed run"),
            ],
            summary:
                "\(PageFormat.span(end - start) ?? "0 ms") from enqueuing to \(summary.endedAt == nil ? "now" : "the end"), \(failed)."
        )
    }

    private static func attempts(_ job: JobRecord, _ now: Date) -> PageTable {
        PageTable(
            "Attempts that failed",
            ["Attempt", "Outcome", "Started", "Took", "Error", "Text"],
            empty: "None.",
            rows: job.attempts.map { attempt in
                [
                    PageCell(String(attempt.attempt), tone: "num"), .state(attempt.outcome),
                    .time(attempt.startedAt, from: now),
                    .span(attempt.startedAt.map { attempt.endedAt.timeIntervalSince($0) }),
                    PageCell(attempt.errorLabel, tone: "bad"), PageCell(attempt.error),
                ]
            }
        )
    }

    /// As it stands, but for line breaks: numbers keep their digits.
    static func pretty(_ json: String) -> String {
        var (text, depth, inString, escaped) = ("", 0, false, false)
        func line() -> String { "\n" + String(repeating: "  ", count: min(depth, 40)) }
        for character in json {
            if inString {
                text.append(character)
                if escaped {
                    escaped = false
                } else if character == "\\" {
                    escaped = true
                } else if character == "\"" {
                    inString = false
                }
                continue
            }
            switch character {
            case "\"":
                inString = true
                text.append(character)
            case "{", "[":
                depth += 1
                text += String(character) + line()
            case "}", "]":
                depth -= 1
                text += line() + String(character)
            case ",": text += "," + line()
            case " " where text.hasSuffix(" "): continue
            default: text.append(character)
            }
        }
        return text
    }
}

/// Not a page, but the way to one.
struct PageRedirect: Error {
    let path: String
}
