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
        let (outcomes, outcome) = AsyncStream.makeStream(of: (any Error)?.self)
        // Not of a group, which would wait for the check too: over a network that is cut, a statement needs
        // some seconds even to be cancelled. It is, and ends by itself.
        let asking = Task {
            do {
                try await check()
                outcome.yield(nil)
            } catch {
                outcome.yield(error)
            }
        }
        let timer = Task {
            try await ContinuousClock().sleep(for: limit)
            outcome.yield(ReadinessTimeout(limit: limit))
        }
        defer {
            asking.cancel()
            timer.cancel()
        }
        for await problem in outcomes { return finding(problem) }
        return finding(CancellationError())
    }

    private func finding(_ problem: (any Error)?) -> ReadinessFinding {
        let explained = problem as? any ExplainedError
        return ReadinessFinding(
            name: name,
            problem: problem.map { explained?.message ?? errorText($0) },
            hint: explained?.hint
        )
    }
}

private struct ReadinessTimeout: ExplainedError {
    let limit: Duration
    var label: String { "check_timeout" }
    var message: String { "expected an answer within \(Int(limit.seconds.rounded(.up))) s, got none" }
    var hint: String? { nil }
}
