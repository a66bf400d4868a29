import Foundation
import LeaseholdCore
import PitchlySync

/// Follows the syncs of some tables from one look at the database to the next, until all have ended.
///
/// A value: looks come in, lines to show come out.
struct SyncFollow {
    /// What became of one table.
    struct Ending: Sendable, Equatable {
        enum Outcome: String, Sendable {
            case merged
            /// Nothing was changed; somebody has to confirm.
            case suspicious
            /// The API no longer shows the table.
            case gone
            /// Waits for somebody, for example to connect the tenant.
            case parked
            /// Its job ended without a mirror.
            case failed
        }

        let outcome: Outcome
        let table: MirrorTableStatus
        let reason: String?
    }

    /// The newest run of each table before the request: what is newer belongs to it.
    private let baseline: [String: Int64]
    private let live: Set<String>
    private(set) var endings: [Ending] = []
    private var ended: Set<String> = []
    /// Tables whose job or run was seen: one that was not may have its job still to come.
    private var started: Set<String> = []

    init(before tables: [MirrorTableStatus]) {
        baseline = Dictionary(tables.map { ($0.id, $0.ended?.id ?? 0) }) { first, _ in first }
        live = Set(tables.filter { $0.state == "live" }.map(\.id))
    }

    /// - Parameters:
    ///   - tables: every table that was asked for, as it is now.
    ///   - isComplete: no further job will be enqueued for these tables.
    /// - Returns: the tables that ended since the last look.
    mutating func look(at tables: [MirrorTableStatus], isComplete: Bool) -> [Ending] {
        var fresh: [Ending] = []
        for table in tables where !ended.contains(table.id) {
            guard let ending = ending(of: table, isComplete: isComplete) else { continue }
            ended.insert(table.id)
            fresh.append(ending)
        }
        endings += fresh
        return fresh
    }

    /// Whether every one of `tables` has ended.
    func hasEnded(_ tables: [MirrorTableStatus]) -> Bool { tables.allSatisfy { ended.contains($0.id) } }

    var isGood: Bool { endings.allSatisfy { $0.outcome == .merged || $0.outcome == .gone } }

    private mutating func ending(of table: MirrorTableStatus, isComplete: Bool) -> Ending? {
        if let job = table.job {
            started.insert(table.id)
            guard job.state == "parked" else { return nil }
            return Ending(outcome: .parked, table: table, reason: job.error)
        }
        if table.state == "gone" { return isComplete ? Ending(outcome: .gone, table: table, reason: nil) : nil }
        guard let run = table.ended, run.id > baseline[table.id] ?? 0 else {
            guard started.contains(table.id) || isComplete else { return nil }
            return Ending(outcome: .failed, table: table, reason: nil)
        }
        switch run.state {
        case "merged": return Ending(outcome: .merged, table: table, reason: nil)
        case "suspicious": return Ending(outcome: .suspicious, table: table, reason: run.reason)
        default: return Ending(outcome: .failed, table: table, reason: run.reason)
        }
    }

    func wasLive(_ table: MirrorTableStatus) -> Bool { live.contains(table.id) }
}

extension SyncFollow {
    /// One line for people about what is under way: `2 of 5 tables done; Clients 1,500 of 4,000 (38 %)`.
    func progress(_ tables: [MirrorTableStatus]) -> String {
        let done = tables.count { ended.contains($0.id) }
        var parts = ["\(done) of \(tables.count) tables done"]
        for table in tables where !ended.contains(table.id) {
            if let reading = table.reading {
                let total = reading.expectedRows.map { " of \($0)" } ?? ""
                let share = reading.share.map { " (\(Int($0 * 100)) %)" } ?? ""
                parts.append("\(table.name): \(reading.rows)\(total) records\(share)")
            } else if let job = table.job, job.state == "scheduled", let error = job.error {
                parts.append("\(table.name) rests until \(Times.stamp(job.runAt) ?? ""): \(error)")
            }
            if parts.count == 4 { break }
        }
        return parts.joined(separator: "; ")
    }

    /// Everything for the end: a row a table.
    func table() -> Table {
        var table = Table(columns: [
            "table", "name", "outcome", "records", "inserted", "updated", "deleted", "unchanged", "reason",
        ])
        for ending in endings {
            let run = ending.outcome == .merged || ending.outcome == .suspicious ? ending.table.ended : nil
            table.add([
                ending.table.id, ending.table.name, ending.outcome.rawValue, String(ending.table.records),
                run?.inserted.map(String.init), run?.updated.map(String.init), run?.deleted.map(String.init),
                run?.unchanged.map(String.init), ending.reason,
            ])
        }
        return table
    }
}
