package import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

/// A queue that has settings, a worker, a backlog or running jobs.
package struct QueueRecord: Sendable {
    package let name: QueueName
    package let pausedAt: Date?
    package let weight: Double
    package let limits: QueueLimits
    package let running: Int
    /// Tenants with a backlog in it.
    package let tenantsWaiting: Int
    /// Living workers that serve it, and how many jobs they run at once.
    package let workers: Int
    package let slots: Int
}

/// A tenant that waits in a queue.
package struct LaneRecord: Sendable {
    package let tenant: TenantID
    /// The kind, if its jobs wait apart because the kind has a limit.
    package let kind: JobKind?
    /// `open`, `full`, `throttled` or `paused`.
    package let state: String
    package let since: Duration
    /// Seconds of running time received, divided by the weight; the lowest open lane is served first.
    package let virtualTime: Double
}

/// A kind that has settings, a worker that knows it, or running jobs.
package struct KindRecord: Sendable {
    package let kind: JobKind
    package let pausedAt: Date?
    package let limits: QueueLimits
    package let running: Int
    package let workers: Int
}

extension JobQueue {
    package func queues(named name: QueueName? = nil) async throws -> [QueueRecord] {
        try await pool.query(.queueList, name?.rawValue).map { row in
            QueueRecord(
                name: try QueueName(try row.decode("queue", as: String.self)),
                pausedAt: try row.decode("paused_at"),
                weight: Double(try row.decode("weight", as: Float.self)),
                limits: try QueueLimits(row),
                running: Int(try row.decode("running", as: Int64.self)),
                tenantsWaiting: Int(try row.decode("tenants_waiting", as: Int64.self)),
                workers: Int(try row.decode("workers", as: Int64.self)),
                slots: Int(try row.decode("slots", as: Int64.self))
            )
        }
    }

    /// Who waits in a queue, those served next first.
    package func lanes(of queue: QueueName, limit: Int = 20) async throws -> [LaneRecord] {
        try await pool.query(.queueLanes, queue.rawValue, Int32(clamping: limit)).map { row in
            LaneRecord(
                tenant: try TenantID(try row.decode("tenant_id", as: String.self)),
                kind: try row.decode("kind", as: String?.self).map { try JobKind($0) },
                state: try row.decode("state"),
                since: .seconds(try row.decode("since_seconds", as: Double.self)),
                virtualTime: try row.decode("vt")
            )
        }
    }

    package func kinds(named kind: JobKind? = nil) async throws -> [KindRecord] {
        try await pool.query(.kindList, kind?.rawValue).map { row in
            KindRecord(
                kind: try JobKind(try row.decode("kind", as: String.self)),
                pausedAt: try row.decode("paused_at"),
                limits: try QueueLimits(row),
                running: Int(try row.decode("running", as: Int64.self)),
                workers: Int(try row.decode("workers", as: Int64.self))
            )
        }
    }
}

extension QueueLimits {
    fileprivate init(_ row: PostgresRow) throws {
        self.init(
            maxRunning: try row.decode("max_running", as: Int32?.self).map { Int($0) },
            ratePerSecond: try row.decode("rate_per_second", as: Float?.self).map { Double($0) },
            rateBurst: try row.decode("rate_burst", as: Int32?.self).map { Int($0) }
        )
    }
}
