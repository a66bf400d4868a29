import LeaseholdCore

/// What one check of `leasehold doctor` found.
struct Finding: Sendable, Equatable, Encodable {
    enum Level: String, Sendable, Equatable, Encodable, CaseIterable {
        case ok
        /// Worth knowing, nothing to do.
        case note
        /// Works now; may not for long, or not for everybody.
        case warning
        /// Does not work.
        case problem
    }

    let level: Level
    /// What was looked at, the same on every run: `pitchly.clock`. Alerts go by it.
    let check: String
    /// Whose: a tenant, a lane, a document; nil where there is but one.
    let subject: String?
    /// What was expected and what came; where all is well, the fact.
    let message: String
    /// What to do, where there is something to do: a whole command or a setting.
    let command: String?

    init(_ level: Level, _ check: String, of subject: String? = nil, _ message: String, command: String? = nil) {
        self.level = level
        self.check = check
        self.subject = subject
        self.message = message
        self.command = command
    }

    /// A check that could not be made is a problem, with the error's own advice.
    init(_ check: String, of subject: String? = nil, failed error: any Error) {
        let explained = error as? any ExplainedError
        self.init(
            .problem,
            check,
            of: subject,
            explained?.message ?? errorText(error),
            command: explained?.hint
        )
    }
}
