package import Foundation
package import LeaseholdCore
import Postgres

/// A schedule as it stands, with what its turns add up to.
package struct ScheduleRecord: Sendable {
    package let name: String
    /// Nil: a template.
    package let tenant: TenantID?
    /// `active` or `connected`.
    package let members: String
    package let kind: JobKind
    package let queue: QueueName
    /// `every 00:15:00` or the cron expression.
    package let rhythm: String
    package let timeZone: String
    /// `skip`, `once` or `all`.
    package let missed: String
    package let missedMost: Int
    package let grace: Duration
    package let overlaps: Bool
    package let jitter: Duration
    package let startsAt: Date
    package let pausedAt: Date?
    /// JSON text.
    package let args: String
    package let slotArgument: String?
    package let priority: Int
    package let maxAttempts: Int
    package let timeout: Duration?
    /// Turns with a next slot.
    package let waiting: Int
    /// Turns without, whose tenant is paused, parked or not connected.
    package let resting: Int
    /// Turns that should have fired; above zero for more than a moment, no worker fires.
    package let due: Int
    /// Turns that could not be fired; ``ScheduleTurn/lastError`` says why.
    package let failed: Int
    package let nextAt: Date?
    package let lastAt: Date?
    /// `enqueued`, `overlapped`, `missed` or `failed`; nil for a template.
    package let lastOutcome: String?
    package let lastJob: JobID?
    /// The database's clock.
    package let now: Date

    init(_ row: PostgresRow) throws {
        name = try row.decode("name")
        tenant = try row.decode("tenant_id", as: String?.self).map { try TenantID($0) }
        members = try row.decode("members")
        kind = try JobKind(try row.decode("kind", as: String.self))
        queue = try QueueName(try row.decode("queue", as: String.self))
        rhythm = try row.decode("rhythm")
        timeZone = try row.decode("time_zone")
        missed = try row.decode("missed")
        missedMost = Int(try row.decode("missed_most", as: Int32.self))
        grace = .seconds(Int(try row.decode("grace_seconds", as: Int32.self)))
        overlaps = try row.decode("overlap")
        jitter = .seconds(Int(try row.decode("jitter_seconds", as: Int32.self)))
        startsAt = try row.decode("starts_at")
        pausedAt = try row.decode("paused_at")
        args = try row.decode("args", as: PostgresJSON.self).text
        slotArgument = try row.decode("slot_arg")
        priority = Int(try row.decode("priority", as: Int16.self))
        maxAttempts = Int(try row.decode("max_attempts", as: Int16.self))
        timeout = try row.decode("timeout_seconds", as: Float?.self).map { .seconds(Double($0)) }
        waiting = Int(try row.decode("waiting", as: Int64.self))
        resting = Int(try row.decode("resting", as: Int64.self))
        due = Int(try row.decode("due", as: Int64.self))
        failed = Int(try row.decode("failed", as: Int64.self))
        nextAt = try row.decode("next_at")
        lastAt = try row.decode("last_at")
        lastOutcome = try row.decode("last_outcome")
        lastJob = try row.decode("last_job_id", as: Int64?.self).map { JobID(rawValue: $0) }
        now = try row.decode("now")
    }
}

/// A tenant's turn in a schedule.
package struct ScheduleTurn: Sendable {
    package let tenant: TenantID
    /// Nil while it rests.
    package let slotAt: Date?
    /// The slot and its jitter.
    package let fireAt: Date?
    package let lastSlotAt: Date?
    /// `enqueued`, `overlapped` (the job of an earlier slot was still live), `missed` or `failed` (tried
    /// again within a minute).
    package let lastOutcome: String?
    package let lastError: String?
    package let lastAt: Date?
    package let lastJob: JobID?

    init(_ row: PostgresRow) throws {
        tenant = try TenantID(try row.decode("tenant_id", as: String.self))
        slotAt = try row.decode("slot_at")
        fireAt = try row.decode("fire_at")
        lastSlotAt = try row.decode("last_slot_at")
        lastOutcome = try row.decode("last_outcome")
        lastError = try row.decode("last_error")
        lastAt = try row.decode("last_at")
        lastJob = try row.decode("last_job_id", as: Int64?.self).map { JobID(rawValue: $0) }
    }
}

/// One slot of a preview.
package struct ScheduleSlot: Sendable, Equatable {
    package let at: Date
    /// In the schedule's time zone: `Sun 2026-03-29 03:00:00`.
    package let localTime: String
    /// How far that zone's clock is ahead of UTC then.
    package let offset: Duration
    package let fireAt: Date

    init(_ row: PostgresRow) throws {
        at = try row.decode("slot_at")
        localTime = try row.decode("local_time")
        offset = .seconds(try row.decode("offset_seconds", as: Double.self))
        fireAt = try row.decode("fire_at")
    }
}

/// What one call fired.
package struct FiredSchedules: Sendable, Equatable {
    package let jobs: Int
    /// Turns that were due, with those whose slot enqueued nothing.
    package let turns: Int
    /// There are more: call again.
    package let hasMore: Bool
    /// Until the next turn is due; nil: there is none.
    package let nextIn: Duration?

    package init(jobs: Int, turns: Int, hasMore: Bool, nextIn: Duration?) {
        self.jobs = jobs
        self.turns = turns
        self.hasMore = hasMore
        self.nextIn = nextIn
    }
}
