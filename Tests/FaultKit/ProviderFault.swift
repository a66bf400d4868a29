import FakePitchly

/// The provider's part in a fault: a rule for one request of one organisation.
struct ProviderFault: Sendable {
    let rule: FaultRule?
    /// Holds the request after its token was rotated, until it is opened.
    let gate: FaultGate?

    /// - Parameters:
    ///   - deadline: of a worker's POST.
    ///   - lifetime: of an access token, in seconds.
    init(_ kind: FaultKind, organization: String, deadline: Duration, lifetime: Int) {
        let gate = FaultGate()
        guard let fault = Self.fault(kind, gate: gate, deadline: deadline, lifetime: lifetime) else {
            (rule, self.gate) = (nil, nil)
            return
        }
        var rule = FaultRule(fault, at: .token)
        rule.organization = organization
        self.rule = rule
        if case .hold = fault { self.gate = gate } else { self.gate = nil }
    }

    private static func fault(_ kind: FaultKind, gate: FaultGate, deadline: Duration, lifetime: Int) -> Fault? {
        switch kind {
        case .throttled: .answer(.init(status: 429, retryAfter: .seconds(1)), .before)
        case .errorBefore: .answer(.init(status: 503), .before)
        case .htmlBefore: .answer(.init(status: 200, body: .html), .before)
        case .closedBefore: .close(.before, isReset: false)
        case .errorAfter: .answer(.init(status: 502), .after)
        case .htmlAfter: .answer(.init(status: 502, body: .html), .after)
        case .closedAfter: .close(.after, isReset: false)
        case .resetAfter: .close(.after, isReset: true)
        case .cutReply(let bytes): .cut(.message(after: bytes))
        case .cutBody(let bytes): .cut(.body(after: bytes))
        case .slowerThanDeadline: .delay(deadline + .milliseconds(700), .after)
        case .lateDelivery: .delay(deadline + .milliseconds(500), .before)
        case .slow: .delay(.milliseconds(300), .after)
        case .trickle: .trickle(bytes: 9, pause: .milliseconds(3))
        // What cannot be read is taken for five minutes, at whose end a recovery without the ladder waits.
        case .oddLifetime: .tokenReply(.expiresIn(.string(lifetime < 300 ? "\(lifetime)" : "soon")))
        case .extraMembers: .tokenReply(.extraMembers)
        case .killInFlight, .stopInFlight, .sessionKilledInFlight: .hold(gate, .after)
        default: nil
        }
    }
}
