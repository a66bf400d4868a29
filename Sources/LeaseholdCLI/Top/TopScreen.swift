import Foundation

/// Draws a ``TopSnapshot`` as lines of at most `width` characters; a value in, text out.
struct TopScreen {
    let width: Int
    /// Lines at most; nil: as many as there are.
    let height: Int?
    /// Escape sequences for headings and what needs attention.
    let usesColor: Bool

    private enum Look: String {
        case heading = "\u{1B}[1m"
        case alarm = "\u{1B}[31m"
    }

    func lines(_ snapshot: TopSnapshot, at now: Date) -> [String] {
        var lines = summary(snapshot.overview, at: now)
        lines += section("QUEUES", Self.queues(snapshot.queues))
        lines += section("TENANTS THAT WAIT", Self.tenants(snapshot.tenants))
        lines += section("WORKERS", Self.workers(snapshot.workers))
        lines += section("ERRORS, 24 H", Self.errors(snapshot.errors))
        return height.map { Array(lines.prefix(max(1, $0))) } ?? lines
    }

    private func summary(_ overview: TopSnapshot.Overview, at now: Date) -> [String] {
        let (jobs, service) = (overview.jobs, overview.service)
        let first =
            ["leasehold \(Times.stamp(now) ?? "")"] + Self.counts(jobs).map { "\($0.name) \($0.text)" }
            + ["longest wait \(Self.wait(jobs))"]
        let rates = "done \(Self.rate(jobs.completedPerSecond))/s, given up \(Self.rate(service.discardedPerSecond))/s"
        let workers =
            "workers \(service.workers) with \(service.workerPlaces) places, \(service.workersSilent) silent"
        let tokens =
            "tokens: \(service.tokensNeedingAuthorization) need a person, \(service.tokensTroubled) troubled, "
            + "\(service.providersClosed) endpoints closed"
        let needsLook =
            service.workersSilent + service.tokensNeedingAuthorization + service.providersClosed > 0
            || (service.workers == 0 && jobs.ready > 0)
        return [
            styled(fit(first.joined(separator: "  ")), .heading),
            needsLook
                ? styled(fit([rates, workers, tokens].joined(separator: "  ")), .alarm)
                : fit([rates, workers, tokens].joined(separator: "  ")),
        ]
    }

    /// A table; the first row is its heading. Nothing if there is no other.
    private func section(_ title: String, _ rows: [[String]]) -> [String] {
        guard rows.count > 1 else { return [] }
        var rows = rows
        rows[0][0] = title
        let columns = rows[0].count
        let widths = (0..<columns).map { column in rows.map { $0[column].count }.max() ?? 0 }
        let isNumeric = (0..<columns).map { column in
            rows.dropFirst().allSatisfy { row in row[column].first.map { $0.isNumber || "≈≥-".contains($0) } ?? true }
        }
        let lines = rows.map { row in
            let cells = row.enumerated().map { column, cell in
                let space = String(repeating: " ", count: widths[column] - cell.count)
                return isNumeric[column] ? space + cell : cell + space
            }
            return fit(cells.joined(separator: "  "))
        }
        return ["", styled(lines[0], .heading)] + lines.dropFirst()
    }

    private static func queues(_ queues: [TopSnapshot.Queue]) -> [[String]] {
        [["", "ready", "running", "scheduled", "parked", "wait", "tenants", "workers", "done/s"]]
            + queues.map { queue in
                let (jobs, facts) = (queue.jobs, queue.facts)
                return [facts.queue + (facts.pausedAt == nil ? "" : " (paused)")] + counts(jobs).map(\.text) + [
                    wait(jobs), (facts.tenantsWaiting == 1000 ? "≥" : "") + String(facts.tenantsWaiting),
                    String(facts.workers), rate(jobs.completedPerSecond),
                ]
            }
    }

    private static func counts(_ jobs: TopSnapshot.Jobs) -> [(name: String, text: String)] {
        [("ready", jobs.ready), ("running", jobs.running), ("scheduled", jobs.scheduled), ("parked", jobs.parked)]
            .map { ($0, count($1, isEstimate: jobs.estimated.contains($0))) }
    }

    private static func wait(_ jobs: TopSnapshot.Jobs) -> String {
        jobs.oldestReadySeconds.map { Times.span($0) } ?? "-"
    }

    private static func tenants(_ tenants: [TopSnapshot.Tenant]) -> [[String]] {
        [["", "ready", "wait", "weight", "lanes", "name"]]
            + tenants.map { tenant in
                [
                    tenant.tenantId, count(tenant.ready, isEstimate: tenant.isEstimate),
                    tenant.oldestReadySeconds.map { Times.span($0) } ?? "-",
                    tenant.weight.map { String(format: "%g", $0) } ?? "-",
                    tenant.laneStates?.joined(separator: ",") ?? "-", oneLine(tenant.name ?? ""),
                ]
            }
    }

    private static func workers(_ workers: [TopSnapshot.Worker]) -> [[String]] {
        [["", "state", "runs", "of", "heartbeat", "queues"]]
            + workers.map { worker in
                [
                    oneLine(worker.name), worker.state, String(worker.running), String(worker.concurrency),
                    Times.span(max(0, worker.heartbeatSeconds)) + " ago", worker.queues.joined(separator: ","),
                ]
            }
    }

    private static func errors(_ errors: [TopSnapshot.JobError]) -> [[String]] {
        [["", "attempts", "tenants", "label", "error"]]
            + errors.map { error in
                [
                    error.kind ?? "-", (error.attemptsIsMinimum ? "≥" : "") + String(error.attempts),
                    String(error.tenants), error.errorLabel ?? "-", oneLine(error.error ?? ""),
                ]
            }
    }

    /// `≈912 000`: thousands are set apart, an estimate is rounded to three digits.
    static func count(_ value: Int64, isEstimate: Bool) -> String {
        var shown = value
        if isEstimate {
            var unit: Int64 = 1
            while shown / unit >= 1000 { unit *= 10 }
            shown = (shown + unit / 2) / unit * unit
        }
        var digits = ""
        for (index, digit) in String(shown).reversed().enumerated() {
            if index > 0, index.isMultiple(of: 3) { digits.append(" ") }
            digits.append(digit)
        }
        return (isEstimate ? "≈" : "") + String(digits.reversed())
    }

    private static func rate(_ value: Double) -> String { String(format: value < 10 ? "%.1f" : "%.0f", value) }

    /// What comes from a job must not move the cursor.
    private static func oneLine(_ text: String) -> String {
        String(text.map { $0.isNewline || $0.unicodeScalars.contains { $0.value < 32 || $0.value == 127 } ? " " : $0 })
    }

    private func fit(_ line: String) -> String {
        let trimmed = String(line.reversed().drop { $0 == " " }.reversed())
        return trimmed.count <= width ? trimmed : trimmed.prefix(max(0, width - 1)) + "…"
    }

    private func styled(_ line: String, _ look: Look) -> String {
        usesColor ? look.rawValue + line + "\u{1B}[0m" : line
    }
}
