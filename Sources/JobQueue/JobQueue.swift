import LeaseholdCore
package import Logging
package import Postgres

/// The job queue in PostgreSQL: a thin, typed face of the SQL functions of the schema `leasehold`,
/// which other languages call directly. What they do is in `sql/README.md`.
///
/// - `JobQueue+enqueue.swift`: adding jobs, one by one, many, or by COPY.
/// - `JobQueue+claim.swift`, `JobQueue+settle.swift`: taking jobs and ending their runs.
/// - `JobQueue+worker.swift`: registration, heartbeat, sleep, rescue.
/// - `JobQueue+steer.swift`: cancel, discard, retry, park, pause, limits.
/// - `JobQueue+many.swift`: the same for all jobs that a filter lets through.
/// - `JobQueue+list.swift`, `QueueRecord.swift`: looking at jobs, workers, queues and kinds.
/// - `JobQueue+schedule.swift`: adding, firing and looking at schedules.
/// - `JobQueue+keep.swift`: retention and repair.
package struct JobQueue: Sendable {
    let pool: PostgresPool
    let logger: Logger
    /// Shared by copies of this value.
    let leases = LeaseBook()
    /// Whose name is written into the log of actions.
    private(set) var source: ActionSource?

    package init(pool: PostgresPool, logger: Logger) {
        self.pool = pool
        self.logger = logger
    }

    /// The same queue, steered in somebody's name.
    package func acting(as source: ActionSource?) -> JobQueue {
        var copy = self
        copy.source = source
        return copy
    }
}
