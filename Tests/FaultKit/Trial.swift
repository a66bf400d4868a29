/// One exchange of one tenant and what is to go wrong with it.
package struct Trial: Sendable, Equatable {
    package let number: Int
    package let fault: FaultKind

    package init(number: Int, fault: FaultKind) {
        self.number = number
        self.fault = fault
    }
}

/// How one trial ended.
package struct TrialResult: Sendable {
    package enum End: String, Sendable {
        /// The credential has moved on and works.
        case saved
        /// A person has to log in again, and the token was lost in a way that no client can prevent.
        case lost
        /// A person was asked to log in although a successor was there, or nothing had been lost.
        case falseVerdict = "false needs_authorization"
        /// Neither, for longer than any recovery takes.
        case stuck
    }

    package let trial: Trial
    package let tenant: String
    package var end: End
    /// The fault has happened.
    package var hasStruck = false
    /// POSTs that reached the provider.
    package var posts = 0
    /// How the credential came back after an exchange without a usable answer; nil if it needed nothing.
    package var rung: String?
    /// POSTs of a refresh token that had been presented before, which nobody declared.
    package var presentedTwice = 0
    package var seconds = 0.0
    /// The vault's log of it: rung, outcome, class of error.
    package var lines: [ExchangeLine] = []
    /// What there is to say about an end that must not be.
    package var note = ""

    init(_ trial: Trial, tenant: String, end: End) {
        self.trial = trial
        self.tenant = tenant
        self.end = end
    }

    /// Exchanges whose outcome was unknown.
    package var ambiguous: Int { lines.count { $0.outcome == "ambiguous" || $0.outcome == "abandoned" } }

    package var isViolation: Bool { end == .falseVerdict || end == .stuck || presentedTwice > 0 }
}
