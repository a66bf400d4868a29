import LeaseholdCore
import Synchronization

/// At most one flight a tenant in this process: whoever asks while one is under way waits for it.
///
/// A flight ends when its task ends, not when the caller that began it leaves.
final class FlightBoard: Sendable {
    typealias Waiter = CheckedContinuation<AccessToken?, any Error>

    private struct Flight {
        let number: Int
        var task: Task<Void, Never>?
        var waiters: [Int: Waiter] = [:]
    }

    private struct State {
        var flights: [TenantID: Flight] = [:]
        var lastNumber = 0
        var isClosed = false

        mutating func nextNumber() -> Int {
            lastNumber += 1
            return lastNumber
        }
    }

    private let state = Mutex(State())

    /// Waits for the tenant's flight, which is `body` if none is under way. A cancelled caller leaves
    /// at once; the flight goes on.
    ///
    /// - Returns: what the flight brought; nil if it brought nothing for callers.
    func join(
        _ tenant: TenantID,
        _ body: @escaping @Sendable () async throws -> AccessToken?
    ) async throws -> AccessToken? {
        let number = state.withLock { $0.nextNumber() }
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { (waiter: Waiter) in
                board(waiter, number, tenant, body)
            }
        } onCancel: {
            let waiter = state.withLock { $0.flights[tenant]?.waiters.removeValue(forKey: number) }
            waiter?.resume(throwing: CancellationError())
        }
    }

    private func board(
        _ waiter: Waiter,
        _ number: Int,
        _ tenant: TenantID,
        _ body: @escaping @Sendable () async throws -> AccessToken?
    ) {
        let (isRefused, starts) = state.withLock { state -> (Bool, Int?) in
            if Task.isCancelled || state.isClosed { return (true, nil) }
            if state.flights[tenant] != nil {
                state.flights[tenant]?.waiters[number] = waiter
                return (false, nil)
            }
            state.flights[tenant] = Flight(number: number, waiters: [number: waiter])
            return (false, number)
        }
        if isRefused { return waiter.resume(throwing: CancellationError()) }
        guard let starts else { return }
        // Unstructured: the flight serves every caller and must outlive the one that began it.
        let task = Task {
            do {
                land(tenant, .success(try await body()))
            } catch {
                land(tenant, .failure(error))
            }
        }
        state.withLock { state in
            if state.flights[tenant]?.number == starts { state.flights[tenant]?.task = task }
            if state.isClosed { task.cancel() }
        }
    }

    private func land(_ tenant: TenantID, _ result: Result<AccessToken?, any Error>) {
        let waiters = state.withLock { $0.flights.removeValue(forKey: tenant)?.waiters.values.map(\.self) ?? [] }
        for waiter in waiters { waiter.resume(with: result) }
    }

    /// Ends every wait; exchanges under way are shielded and go on.
    func close() {
        let tasks = state.withLock { state in
            state.isClosed = true
            return state.flights.values.compactMap(\.task)
        }
        for task in tasks { task.cancel() }
    }

    /// For tests: how many callers wait for a tenant's flight.
    func waiterCount(_ tenant: TenantID) -> Int {
        state.withLock { $0.flights[tenant]?.waiters.count ?? 0 }
    }
}
