import Foundation

/// What became of the exchanges of a run, by the faults that they met.
package struct ChaosReport: Sendable, Encodable {
    package static let rungs = ["spool", "refresh", "replay", "access_token", "late_probe"]

    package struct Row: Sendable, Encodable {
        package let fault: String
        package private(set) var exchanges = 0
        package private(set) var posts = 0
        package private(set) var ambiguous = 0
        package private(set) var recoveredBy: [String: Int] = [:]
        package private(set) var presentedTwice = 0
        package private(set) var lost = 0
        package private(set) var falseNeedsAuthorization = 0
        package private(set) var stuck = 0

        fileprivate init(_ fault: String) { self.fault = fault }

        fileprivate mutating func add(_ result: TrialResult) {
            exchanges += 1
            posts += result.posts
            ambiguous += result.ambiguous
            if let rung = result.rung { recoveredBy[rung, default: 0] += 1 }
            presentedTwice += result.presentedTwice
            lost += result.end == .lost ? 1 : 0
            falseNeedsAuthorization += result.end == .falseVerdict ? 1 : 0
            stuck += result.end == .stuck ? 1 : 0
        }

        fileprivate var cells: [String] {
            let counts =
                [exchanges, posts, ambiguous] + ChaosReport.rungs.map { recoveredBy[$0] ?? 0 }
                + [presentedTwice, lost, falseNeedsAuthorization, stuck]
            return [fault] + counts.map { $0 == 0 ? "-" : String($0) }
        }
    }

    package let rows: [Row]
    package let total: Row
    /// What must not be, one line each.
    package let violations: [String]
    /// Over all tenants, by the provider's ledger and what the workers had declared.
    package let presentedTwice: Int
    /// Tenants that a last exchange without faults could not refresh.
    package let broken: [String]
    /// A token or secret of the provider was found in a log.
    package let hasLoggedSecrets: Bool
    package let seconds: Double

    init(results: [TrialResult], presentedTwice: Int, broken: [String], hasLoggedSecrets: Bool, seconds: Double) {
        var rows: [String: Row] = [:]
        var total = Row("all")
        for result in results {
            rows[result.trial.fault.family, default: Row(result.trial.fault.family)].add(result)
            total.add(result)
        }
        self.rows = rows.values.sorted { $0.fault < $1.fault }
        self.total = total
        violations = results.filter(\.isViolation).map {
            "exchange \($0.trial.number) of \($0.tenant), \($0.trial.fault.name): \($0.end.rawValue), "
                + "presented twice \($0.presentedTwice); \($0.note)"
        }
        self.presentedTwice = presentedTwice
        self.broken = broken
        self.hasLoggedSecrets = hasLoggedSecrets
        self.seconds = seconds
    }

    /// Whether the promises were kept.
    ///
    /// - Parameter mayLose: whether tokens may be lost in the two ways that no client can prevent; with
    ///   the access token's exchange allowed, not even in those.
    package func holds(mayLose: Bool) -> Bool {
        violations.isEmpty && presentedTwice == 0 && broken.isEmpty && !hasLoggedSecrets
            && (mayLose || total.lost == 0)
    }

    package var table: String {
        let head =
            ["fault", "exchanges", "POSTs", "ambiguous"] + Self.rungs.map { "by \($0)" }
            + ["presented twice", "lost", "false needs_authorization", "stuck"]
        return Self.aligned([head] + rows.map(\.cells) + [total.cells])
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
