package enum JobOutcome: Sendable, Equatable {
    case completed
    case retry(reason: String, after: Duration?)
    case snooze(Duration, reason: String)
    case park(reason: String)
    case discard(reason: String)
}
