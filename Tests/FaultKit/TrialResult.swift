/// How one trial ended.
package struct TrialResult: Sendable {
    package enum End: Sendable, Equatable {
        /// The credential has moved on and works.
        case saved
        /// A person has to log in again, and the token was lost in a way that no client can prevent.
        case lost
        /// A person was asked to log in although a successor was there, or nothing had been lost.
        case falseVerdict
        /// Neither, for longer than any recovery takes.
        case stuck
    }

    package let trial: Trial
    package let tenant: String
    package var end: End
    /// POSTs that reached the provider.
    package var exchanges = 0
    /// Of these and of those that did not, the ones whose outcome was unknown.
    package var ambiguous = 0
    /// How the credential came back after an ambiguous or failed exchange; nil if it needed nothing.
    package var rung: String?
    /// POSTs of a refresh token that had been presented before, which nobody declared.
    package var presentedTwice = 0
    package var seconds = 0.0
    /// What there is to say about an end that must not be.
    package var note = ""

    package init(_ trial: Trial, tenant: String, end: End) {
        self.trial = trial
        self.tenant = tenant
        self.end = end
    }

    package var isViolation: Bool { end == .falseVerdict || end == .stuck || presentedTwice > 0 }
}
