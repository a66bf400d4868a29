internal import Logging

/// The metadata keys of the runtime's logs. Stable: alerts and searches lean on them.
enum LogKey {
    /// The event's name, on every line: `worker_registered`.
    static let event = "event"
    static let tenant = "tenant"
    static let job = "job"
    static let run = "run"
    static let kind = "kind"
    static let queue = "queue"
    static let attempt = "attempt"
    static let worker = "worker"
    static let workerName = "worker_name"
    static let outcome = "outcome"
    static let count = "count"
    static let jobs = "jobs"
    static let seconds = "seconds"
    static let retryIn = "retry_in_seconds"
    static let failures = "failures"
    static let reason = "reason"
    static let error = "error"
    static let errorLabel = "error_label"
    static let task = "task"
    static let kinds = "kinds"
    static let queues = "queues"
    static let slots = "slots"
    static let turns = "turns"
}
