/// What goes wrong with one exchange.
package enum FaultKind: Hashable, Sendable {
    case none

    // At the provider, before anything is rotated.
    case throttled
    case errorBefore
    case htmlBefore
    case closedBefore
    // At the provider, after the rotation: the reply is lost.
    case errorAfter
    case htmlAfter
    case closedAfter
    case resetAfter
    case cutBody(bytes: Int)
    case slowerThanDeadline
    // Odd, but all there.
    case lateDelivery
    case slow
    case trickle
    case oddLifetime
    case extraMembers
    // On the way.
    case refused
    /// The connection ends when the worker has sent so many bytes; 0 is before its request.
    case requestCut(bytes: Int)
    /// The connection ends when the provider has sent so many bytes; 0 is after the request.
    case replyCut(bytes: Int)

    // The worker, at a step.
    case kill(Step)
    case killInFlight
    case stop(Step)
    /// Stands still past its deadline, and its sessions are gone when it wakes up.
    case stopAndCut(Step)
    case stopInFlight
    case terminate(Step)
    case diskFull

    // The database, at a step.
    case sessionKilled(Step)
    case sessionKilledInFlight
    case connectionCut(Step)
    case answerLost(Step)
    case restart(Step)

    /// The steps of the protocol at which a worker can be disturbed, by the names of the vault's
    /// fault points.
    package enum Step: String, CaseIterable, Sendable {
        case prepared = "0-prepared"
        case intentCommitted = "1-intent-committed"
        case rowHeld = "2-row-held"
        case sending = "3-sending"
        case replied = "3-replied"
        case spooled = "4-spooled"
        case parsed = "5-parsed"
        case committed = "6-committed"
        case published = "7-published"
    }

    /// One row of the report.
    package var family: String {
        switch self {
        case .none: "none"
        case .throttled: "429"
        case .errorBefore, .htmlBefore, .closedBefore: "5xx, HTML, closed before rotation"
        case .errorAfter, .htmlAfter, .closedAfter, .resetAfter: "5xx, HTML, closed after rotation"
        case .cutBody: "reply cut in its body"
        case .slowerThanDeadline: "slower than the deadline"
        case .lateDelivery: "delivered after the deadline"
        case .slow, .trickle, .oddLifetime, .extraMembers: "slow or odd reply"
        case .refused: "connection refused"
        case .requestCut, .replyCut: "connection to the provider cut"
        case .kill: "kill -9 at a step"
        case .killInFlight: "kill -9 during the POST"
        case .stop, .stopInFlight: "SIGSTOP past the deadline"
        case .stopAndCut: "SIGSTOP, session lost"
        case .terminate: "SIGTERM"
        case .diskFull: "spool's disk full"
        case .sessionKilled: "session killed at a step"
        case .sessionKilledInFlight: "session killed in the POST"
        case .connectionCut: "database connections cut"
        case .answerLost: "database answer lost"
        case .restart: "database restarted"
        }
    }

    package var name: String {
        let text = String(describing: self)
        return text.replacing("FaultKit.FaultKind.Step.", with: "")
    }
}
