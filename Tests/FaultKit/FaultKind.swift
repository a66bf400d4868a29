package import TokenVault

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
    /// So many bytes of the whole reply come, status line included.
    case cutReply(bytes: Int)
    /// So many bytes of its body come.
    case cutBody(bytes: Int)
    case slowerThanDeadline
    /// Acted upon when nobody waits any more.
    case lateDelivery
    // Odd, but all there.
    case slow
    case trickle
    case oddLifetime
    case extraMembers
    // On the way, by the proxy before the provider.
    /// The connection is made and ends at once.
    case turnedAway
    /// The connection ends when the worker has sent so many bytes; 0 is before its request.
    case requestCut(bytes: Int)
    /// The connection ends when the provider has sent so many bytes; 0 is after the request.
    case replyCut(bytes: Int)

    // The worker, at a step.
    case kill(Step)
    case killInFlight
    /// Stands still until its intent has run out.
    case stop(Step)
    /// The same, and its sessions are gone when it wakes up.
    case stopAndCut(Step)
    case stopInFlight
    case terminate(Step)
    /// No byte can be written to any file of the worker when the reply comes.
    case diskFull

    // The database, at a step.
    case sessionKilled(Step)
    case sessionKilledInFlight
    case connectionCut(Step)
    /// The statement that follows the step is carried out, and its answer does not arrive.
    case answerLost(Step)
    case restart(Step)

    /// The steps of the protocol at which a worker can be disturbed.
    package typealias Step = VaultFaultPoint

    /// One row of the report.
    package var family: String {
        switch self {
        case .none: "none"
        case .throttled: "429"
        case .errorBefore, .htmlBefore, .closedBefore: "5xx, HTML, closed before rotation"
        case .errorAfter, .htmlAfter, .closedAfter, .resetAfter: "5xx, HTML, closed after rotation"
        case .cutReply, .cutBody, .replyCut: "reply cut"
        case .slowerThanDeadline: "slower than the deadline"
        case .lateDelivery: "delivered after the deadline"
        case .slow, .trickle, .oddLifetime, .extraMembers: "slow or odd reply"
        case .turnedAway, .requestCut: "request cut"
        case .kill: "kill -9 at a step"
        case .killInFlight: "kill -9 in the POST"
        case .stop, .stopInFlight: "SIGSTOP past the deadline"
        case .stopAndCut: "SIGSTOP, session lost"
        case .terminate: "SIGTERM"
        case .diskFull: "spool's disk full"
        case .sessionKilled, .sessionKilledInFlight: "row's session killed"
        case .connectionCut: "database connections cut"
        case .answerLost: "database answer lost"
        case .restart: "database restarted"
        }
    }

    /// The provider has rotated, and its answer comes to nobody: one of the two losses that no client
    /// can prevent.
    package var losesReply: Bool {
        switch self {
        case .errorAfter, .htmlAfter, .closedAfter, .resetAfter, .cutReply, .cutBody, .slowerThanDeadline,
            .lateDelivery, .replyCut:
            true
        default: false
        }
    }

    /// Whether it comes when the row already shows the new generation.
    var comesAfterTheSave: Bool { strikes(at: .committed) || strikes(at: .published) }

    package var name: String { String(describing: self).replacing("TokenVault.VaultFaultPoint.", with: "") }

    /// The step at which the director does something.
    func strikes(at step: Step) -> Bool {
        switch self {
        case .kill(let at), .stop(let at), .stopAndCut(let at), .terminate(let at), .sessionKilled(let at),
            .connectionCut(let at), .answerLost(let at), .restart(let at):
            at == step
        case .turnedAway, .requestCut, .replyCut: step == .sending
        case .diskFull: step == .replied
        default: false
        }
    }
}

extension FaultKind.Step {
    /// Those at which the worker holds the row.
    package static let holding: [FaultKind.Step] = [.rowHeld, .sending, .replied, .spooled, .parsed]
}
