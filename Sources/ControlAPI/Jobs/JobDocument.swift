import Foundation
import JobQueue
import LeaseholdCore

/// A job as the interface shows it; args and progress as they stand in the database.
enum JobDocument {
    static func text(_ job: JobRecord) -> String {
        let summary = job.summary
        var object = JSONObjectText()
        object.set("id", json: summary.id.description)
        object.set("tenant", summary.tenant.rawValue)
        object.set("kind", summary.kind.rawValue)
        object.set("queue", summary.queue.rawValue)
        object.set("state", summary.state.rawValue)
        object.set("args", json: job.args)
        object.set("priority", job.priority)
        object.set("attempt", summary.attempt)
        object.set("max_attempts", summary.maxAttempts)
        object.set("kills", job.kills)
        object.set("enqueued_at", summary.enqueuedAt)
        object.set("run_at", summary.runAt)
        object.set("claimed_at", summary.claimedAt)
        object.set("ended_at", summary.endedAt)
        object.set("run_seconds", job.ranFor?.seconds)
        object.set("timeout_seconds", job.timeout?.seconds)
        object.set("unique_key", job.uniqueKey)
        object.set("sequence_key", job.sequenceKey)
        object.set("park_reason", job.parkReason)
        object.set("error_label", summary.errorLabel)
        object.set("error", job.lastError)
        object.set("progress", json: job.progress ?? "null")
        object.set("trace_context", job.traceContext)
        object.set("waited", json: waits(job.waits))
        object.set("failed_attempts", json: "[\(job.attempts.map(attempt).joined(separator: ","))]")
        return object.text
    }

    private static func waits(_ waits: JobRecord.Waits) -> String {
        var object = JSONObjectText()
        object.set("turn_seconds", waits.turn.seconds)
        object.set("limit_seconds", waits.limit.seconds)
        object.set("worker_seconds", waits.worker.seconds)
        object.set("parked_seconds", waits.parked.seconds)
        return object.text
    }

    private static func attempt(_ attempt: FailedAttempt) -> String {
        var object = JSONObjectText()
        object.set("attempt", attempt.attempt)
        object.set("run", json: attempt.run.description)
        object.set("started_at", attempt.startedAt)
        object.set("ended_at", attempt.endedAt)
        object.set("outcome", attempt.outcome)
        object.set("error_label", attempt.errorLabel)
        object.set("error", attempt.error)
        return object.text
    }
}

extension JSONObjectText {
    mutating func set(_ name: String, _ value: String?) {
        if let value { set(name, value as String) } else { set(name, json: "null") }
    }

    /// RFC 3339 with milliseconds, in UTC.
    mutating func set(_ name: String, _ value: Date?) {
        set(name, value?.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true)))
    }

    /// Not a number where it is not finite: JSON has none for it.
    mutating func set(_ name: String, _ value: Double?) {
        if let value, value.isFinite { set(name, json: "\(value)") } else { set(name, json: "null") }
    }

    mutating func set(_ name: String, _ value: Int?) {
        if let value { set(name, value as Int) } else { set(name, json: "null") }
    }
}
