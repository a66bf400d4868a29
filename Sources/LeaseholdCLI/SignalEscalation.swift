import Logging
import ServiceLifecycle
import UnixSignals

/// The second signal: whoever presses Ctrl-C twice does not want to wait for the drain.
enum SignalEscalation {
    /// Runs `group`, which shuts down gracefully on its first signal, and cancels it on the second.
    static func run(_ group: ServiceGroup, logger: Logger) async throws {
        let signals = await UnixSignalsSequence(trapping: .sigterm, .sigint)
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            tasks.addTask {
                var count = 0
                for await signal in signals {
                    count += 1
                    guard count == 2 else { continue }
                    logger.warning("second signal: jobs are handed back at once", metadata: ["signal": "\(signal)"])
                    return
                }
            }
            // Whichever ends first: the group by itself, or the wait for a second signal, whose end
            // cancels the group.
            try await tasks.next()
            tasks.cancelAll()
            try await tasks.waitForAll()
        }
    }
}
