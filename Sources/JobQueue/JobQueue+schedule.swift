package import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

extension JobQueue {
    /// Adds a schedule, or changes it if the request replaces; the same request again changes nothing.
    ///
    /// - Throws: ``JobQueueError`` saying what was expected.
    package func addSchedule(_ request: ScheduleRequest) async throws {
        try Self.checkArgs(request.args, of: "schedule \(request.name)")
        let rhythm = request.rhythm.parts
        let missed = request.missed.parts
        try await explained {
            try await pool.query(
                as: source,
                .scheduleAdd,
                request.name,
                request.kind.rawValue,
                rhythm.seconds,
                rhythm.cron,
                request.audience.tenant?.rawValue,
                rhythm.timeZone,
                PostgresJSON(request.args),
                request.queue.rawValue,
                Int32(clamping: request.priority),
                Int32(clamping: request.maxAttempts),
                request.timeout?.seconds,
                request.startsAt,
                request.audience.members,
                missed.word,
                Int32(clamping: missed.most),
                request.grace.seconds,
                request.jitter.seconds,
                request.overlaps,
                request.slotArgument,
                request.replaces
            )
        }
    }

    /// Enqueues the jobs of turns that are due. Any number of workers may call it at the same time:
    /// each slot is fired by one of them.
    ///
    /// - Parameter lookBack: only turns that came due within this time, which costs less after long
    ///   transactions; nil: all.
    package func fireSchedules(most: Int = 500, lookBack: Duration? = nil) async throws -> FiredSchedules {
        let row = try await pool.query(.scheduleFire, Int32(clamping: most), lookBack?.seconds).only
        return FiredSchedules(
            jobs: Int(try row.decode("jobs", as: Int32.self)),
            turns: Int(try row.decode("turns", as: Int32.self)),
            hasMore: try row.decode("more"),
            nextIn: try row.decode("next_in", as: Double?.self).map { .seconds($0) }
        )
    }

    /// Schedules by name; with a tenant, its own and the templates.
    package func schedules(of tenant: TenantID? = nil) async throws -> [ScheduleRecord] {
        try await pool.query(.scheduleList, tenant?.rawValue, nil as String?).map { try ScheduleRecord($0) }
    }

    /// - Throws: ``JobQueueError`` with code `unknownSchedule`.
    package func schedule(_ name: String) async throws -> ScheduleRecord {
        guard let row = try await pool.query(.scheduleList, nil as String?, name).first else {
            throw JobQueueError(
                code: .unknownSchedule,
                message: "expected the name of a schedule, got \"\(name)\"",
                hint: "leasehold schedules list"
            )
        }
        return try ScheduleRecord(row)
    }

    /// Its turns, the next ones first and those that rest last.
    package func turns(of schedule: String, tenant: TenantID? = nil, limit: Int = 20) async throws -> [ScheduleTurn] {
        try await pool.query(.scheduleTurns, schedule, tenant?.rawValue, Int32(clamping: limit)).map {
            try ScheduleTurn($0)
        }
    }

    /// The next slots of a schedule for a tenant; of its own tenant if it has one.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownSchedule`.
    package func preview(
        _ schedule: String,
        for tenant: TenantID? = nil,
        after: Date? = nil,
        count: Int = 10
    ) async throws -> [ScheduleSlot] {
        let known = try await self.schedule(schedule)
        let tenant = (tenant ?? known.tenant)?.rawValue ?? ""
        return try await explained {
            try await pool.query(.schedulePreview, schedule, tenant, after, Int32(clamping: count)).map {
                try ScheduleSlot($0)
            }
        }
    }

    /// The slots that a rhythm would have.
    ///
    /// - Throws: ``JobQueueError`` saying what is wrong with it.
    package func preview(
        _ rhythm: ScheduleRequest.Rhythm,
        after: Date? = nil,
        count: Int = 10
    ) async throws -> [ScheduleSlot] {
        let parts = rhythm.parts
        return try await explained {
            try await pool.query(
                .scheduleTry,
                parts.seconds,
                parts.cron,
                parts.timeZone,
                after,
                Int32(clamping: count)
            ).map { try ScheduleSlot($0) }
        }
    }

    /// Nothing is fired until it is resumed; jobs that were enqueued run.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownSchedule`.
    package func pauseSchedule(_ name: String) async throws {
        try await explained { try await pool.query(as: source, .schedulePause, name) }
    }

    /// Goes on with the next slots; those of the pause are dropped.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownSchedule`.
    package func resumeSchedule(_ name: String) async throws {
        try await explained { try await pool.query(as: source, .scheduleResume, name) }
    }

    /// Jobs that were enqueued stay.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownSchedule`.
    package func removeSchedule(_ name: String) async throws {
        try await explained { try await pool.query(as: source, .scheduleRemove, name) }
    }
}
