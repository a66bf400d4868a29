import LeaseholdCore

extension Timeline {
    /// Runs `body`, cancelling it after `limit`.
    ///
    /// - Throws: ``NoAnswer`` if the limit passed first; else what `body` throws.
    func limit<Result: Sendable>(
        _ limit: Duration,
        _ what: String,
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        try await withThrowingTaskGroup(of: Result?.self) { group in
            // Begins here and now: a task that begins on another thread comes a change of thread later.
            group.addImmediateTask { try await body() }
            group.addTask {
                try await self.sleep(for: limit)
                return nil
            }
            defer { group.cancelAll() }
            guard let first = try await group.next(), let result = first else {
                throw NoAnswer(to: what, within: limit)
            }
            return result
        }
    }
}
