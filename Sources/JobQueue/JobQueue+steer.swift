package import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

/// What a cancel request came to.
package enum CancelAnswer: String, Sendable {
    /// The job had not started; it is in the history now.
    case cancelled
    /// The job runs; its worker hears of it at once if it listens, else within a second.
    case requested
    /// The job had ended already.
    case ended
}

/// What became of a job that was to be discarded.
package enum DiscardAnswer: String, Sendable {
    case discarded
    /// It runs and was left alone: cancel it to stop it.
    case running
    case ended
}

/// What became of a job that was given another time.
package enum RescheduleAnswer: String, Sendable {
    case scheduled
    /// It waits for something else first.
    case parked
    /// It runs and was left alone.
    case running
    case ended
}

/// Limits of a queue or a kind; nil is no limit.
package struct QueueLimits: Sendable, Equatable {
    package var maxRunning: Int?
    /// Jobs started per second on average.
    package var ratePerSecond: Double?
    /// Jobs that may start at once after a quiet time; nil is the rate, rounded up.
    package var rateBurst: Int?

    package init(maxRunning: Int? = nil, ratePerSecond: Double? = nil, rateBurst: Int? = nil) {
        self.maxRunning = maxRunning
        self.ratePerSecond = ratePerSecond
        self.rateBurst = rateBurst
    }
}

extension JobQueue {
    /// Ends a waiting job, or asks a running one to stop.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownJob`.
    package func cancel(_ job: JobID, reason: String = "cancelled by request") async throws -> CancelAnswer {
        try await answer(or: .ended) { try await pool.query(as: source, .jobCancel, job.rawValue, reason) }
    }

    /// Ends a waiting job as a failure, by hand: jobs that wait for it do as after any failure.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownJob`.
    package func discard(_ job: JobID, reason: String = "discarded by request") async throws -> DiscardAnswer {
        try await answer(or: .ended) { try await pool.query(as: source, .jobDiscard, job.rawValue, reason) }
    }

    /// Runs a job again: one that ended starts anew under its id; one that waits for its time or for
    /// its tenant becomes ready.
    ///
    /// - Returns: the state it has now; `running` if it runs.
    /// - Throws: ``JobQueueError`` with code `unknownJob` or `uniqueKeyTaken`.
    package func retry(_ job: JobID) async throws -> JobState {
        try await answer(or: .ready) { try await pool.query(as: source, .jobRetry, job.rawValue) }
    }

    /// Gives a waiting job another time, earlier or later.
    ///
    /// - Throws: ``JobQueueError`` with code `unknownJob`.
    package func reschedule(_ job: JobID, to time: Date) async throws -> RescheduleAnswer {
        try await answer(or: .ended) { try await pool.query(as: source, .jobReschedule, job.rawValue, time) }
    }

    /// The one word that a statement about one job answers with.
    ///
    /// - Parameter unknown: for a word of a newer schema.
    private func answer<Answer: RawRepresentable>(
        or unknown: Answer,
        _ ask: () async throws -> PostgresRows
    ) async throws -> Answer where Answer.RawValue == String {
        try await explained {
            Answer(rawValue: try await ask().only.decode(0, as: String.self)) ?? unknown
        }
    }

    /// Parks the waiting jobs of a tenant; no attempt is counted.
    ///
    /// - Returns: how many.
    @discardableResult
    package func park(_ tenant: TenantID, reason: String) async throws -> Int {
        Int(try await pool.query(.tenantPark, tenant.rawValue, reason).only.decode(0, as: Int64.self))
    }

    /// Lets the parked jobs of a tenant go on.
    ///
    /// - Returns: how many.
    @discardableResult
    package func unpark(_ tenant: TenantID) async throws -> Int {
        Int(try await pool.query(.tenantUnpark, tenant.rawValue).only.decode(0, as: Int64.self))
    }

    /// Nothing of the queue is claimed until ``resume(_:)-(QueueName)``; enqueuing goes on.
    package func pause(_ queue: QueueName) async throws {
        try await pool.query(as: source, .queuePause, queue.rawValue)
    }
    package func resume(_ queue: QueueName) async throws {
        try await pool.query(as: source, .queueResume, queue.rawValue)
    }

    /// Sets all limits of a queue, and its share of workers that serve several.
    package func limit(_ queue: QueueName, to limits: QueueLimits, weight: Double = 1) async throws {
        try await pool.query(
            as: source,
            .queueLimit,
            queue.rawValue,
            limits.maxRunning.map { Int32(clamping: $0) },
            limits.ratePerSecond,
            limits.rateBurst.map { Int32(clamping: $0) },
            weight
        )
    }

    /// Jobs of the kind wait until ``resume(_:)-(JobKind)``, in whatever queue.
    package func pause(_ kind: JobKind) async throws { try await pool.query(as: source, .kindPause, kind.rawValue) }
    package func resume(_ kind: JobKind) async throws { try await pool.query(as: source, .kindResume, kind.rawValue) }

    /// Sets all limits of a kind.
    package func limit(_ kind: JobKind, to limits: QueueLimits) async throws {
        try await pool.query(
            as: source,
            .kindLimit,
            kind.rawValue,
            limits.maxRunning.map { Int32(clamping: $0) },
            limits.ratePerSecond,
            limits.rateBurst.map { Int32(clamping: $0) }
        )
    }
}
