import LeaseholdCore
import Logging
import Postgres
import SQLFiles

extension JobQueue {
    /// Drops whole days of history, forgets old idempotency keys and dead workers, and makes the
    /// partitions of the next days. Any worker may call it, at any time.
    ///
    /// - Returns: how many of each were removed.
    @discardableResult
    package func prune(
        keepHistory: Duration = .seconds(14 * 86_400),
        keepIdempotency: Duration = .seconds(7 * 86_400)
    ) async throws -> [String: Int] {
        let rows = try await pool.query(.queuePrune, keepHistory.seconds, keepIdempotency.seconds)
        return try counts(rows)
    }

    /// Repairs what disagrees with the jobs. Every number is expected to be 0; others are logged.
    ///
    /// - Returns: how many of each finding there were.
    @discardableResult
    package func reconcile() async throws -> [String: Int] {
        let found = try counts(try await pool.query(.queueReconcile))
        for (finding, count) in found where count > 0 {
            logger.warning("the queue was repaired", metadata: ["finding": "\(finding)", "count": "\(count)"])
        }
        return found
    }

    private func counts(_ rows: PostgresRows) throws -> [String: Int] {
        Dictionary(uniqueKeysWithValues: try rows.decode((String, Int64).self).map { ($0, Int($1)) })
    }
}
