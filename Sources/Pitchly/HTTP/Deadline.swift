/// Thrown by ``withDeadline(_:clock:_:)`` when the time is over.
struct DeadlineExceeded: Error {}

/// Runs `body` and cancels it when `limit` has passed.
///
/// - Throws: ``DeadlineExceeded``, or what `body` throws.
func withDeadline<Result: Sendable>(
    _ limit: Duration,
    clock: any Clock<Duration>,
    _ body: @escaping @Sendable () async throws -> Result
) async throws -> Result {
    try await withThrowingTaskGroup(of: Result.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await clock.sleep(for: limit)
            throw DeadlineExceeded()
        }
        defer { group.cancelAll() }
        guard let result = try await group.next() else { throw DeadlineExceeded() }
        return result
    }
}
