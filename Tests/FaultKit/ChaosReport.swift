/// The table of a run: faults by kind, and what became of the exchanges that met them.
package struct ChaosReport: Sendable {
    package static let rungs = ["spool", "refresh", "replay", "access_token", "late_probe"]

    private struct Row {
        var trials = 0
        var exchanges = 0
        var ambiguous = 0
        var rungs: [String: Int] = [:]
        var twice = 0
        var lost = 0
        var falseVerdicts = 0
        var stuck = 0

        mutating func add(_ result: TrialResult) {
            trials += 1
            exchanges += result.exchanges
            ambiguous += result.ambiguous
            if let rung = result.rung { rungs[rung, default: 0] += 1 }
            twice += result.presentedTwice
            lost += result.end == .lost ? 1 : 0
            falseVerdicts += result.end == .falseVerdict ? 1 : 0
            stuck += result.end == .stuck ? 1 : 0
        }

        func cells(_ name: String) -> [String] {
            let counts = [trials, exchanges, ambiguous] + ChaosReport.rungs.map { rungs[$0] ?? 0 }
            return [name] + (counts + [twice, lost, falseVerdicts, stuck]).map { $0 == 0 ? "-" : String($0) }
        }
    }

    package let results: [TrialResult]

    package init(_ results: [TrialResult]) { self.results = results.sorted { $0.trial.number < $1.trial.number } }

    package var violations: [TrialResult] { results.filter(\.isViolation) }
    package var lost: Int { results.count { $0.end == .lost } }

    package var table: String {
        var order: [String] = []
        var rows: [String: Row] = [:]
        var total = Row()
        for result in results {
            let family = result.trial.fault.family
            if rows[family] == nil { order.append(family) }
            rows[family, default: Row()].add(result)
            total.add(result)
        }
        let head =
            ["fault", "trials", "POSTs", "ambiguous"] + Self.rungs
            + ["twice", "lost", "false verdict", "stuck"]
        let body = order.sorted().map { rows[$0, default: Row()].cells($0) }
        return Self.aligned([head] + body + [total.cells("all")])
    }

    /// The first column to the left, numbers to the right.
    private static func aligned(_ rows: [[String]]) -> String {
        let widths = (0..<(rows.first?.count ?? 0)).map { column in rows.map { $0[column].count }.max() ?? 0 }
        return rows.map { row in
            row.indices.map { column in
                let padding = String(repeating: " ", count: widths[column] - row[column].count)
                return column == 0 ? row[column] + padding : padding + row[column]
            }.joined(separator: "  ")
        }.joined(separator: "\n")
    }
}
