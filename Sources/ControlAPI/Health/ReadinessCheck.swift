import Foundation
import LeaseholdCore

/// One thing that must hold for the process to be of use.
package struct ReadinessCheck: Sendable {
    package let name: String
    /// Throws what is wrong.
    package let check: @Sendable () async throws -> Void

    package init(_ name: String, check: @escaping @Sendable () async throws -> Void) {
        self.name = name
        self.check = check
    }
}

/// What a look at one of them came to.
struct ReadinessFinding: Sendable {
    let name: String
    /// Nil if it holds.
    let problem: String?
    let hint: String?

    var json: String {
        var object = JSONObjectText()
        object.set("name", name)
        object.set("ok", json: problem == nil ? "true" : "false")
        if let problem { object.set("detail", problem) }
        if let hint { object.set("hint", hint) }
        return object.text
    }
}

extension ReadinessCheck {
    /// Looks, for at most the given time: a check that hangs has failed.
    func look(within limit: Duration = .seconds(3)) async -> ReadinessFinding {
        do {
            try await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask { try await check() }
                group.addTask {
                    try await ContinuousClock().sleep(for: limit)
                    throw ReadinessTimeout(limit: limit)
                }
                defer { group.cancelAll() }
                try await group.next()
            }
            return ReadinessFinding(name: name, problem: nil, hint: nil)
        } catch {
            let explained = error as? any ExplainedError
            return ReadinessFinding(
                name: name,
                problem: explained?.message ?? errorText(error),
                hint: explained?.hint
            )
        }
    }
}

private struct ReadinessTimeout: ExplainedError {
    let limit: Duration
    var label: String { "check_timeout" }
    var message: String { "expected an answer within \(limit.seconds) s, got none" }
    var hint: String? { nil }
}
