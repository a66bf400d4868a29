import Postgres
import Synchronization

/// Wakes whoever waits for a tenant's credential: told by the vault's own notifications, and every two
/// seconds in any case, because a broken database tells nothing.
final class CredentialWatch: Sendable {
    private struct State {
        var counts: [String: Int] = [:]
        var ticks = 0
        var waiting: [String: [CheckedContinuation<Void, Never>]] = [:]
    }

    private let state = Mutex(State())

    /// Listens until cancelled.
    func run(_ pool: PostgresPool) async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask { [self] in
                try? await pool.withNotifications(on: ["leasehold_credential"]) { events in
                    for await event in events {
                        if case .notification(let notification) = event {
                            // The payload is an event's name, a space and the tenant.
                            wake(String(notification.payload.split(separator: " ").last ?? ""))
                        } else {
                            wakeAll()
                        }
                    }
                }
            }
            group.addTask { [self] in
                while (try? await ContinuousClock().sleep(for: .seconds(2))) != nil { wakeAll() }
                wakeAll()
            }
        }
    }

    /// A number that grows with every change.
    func count(of tenant: String) -> Int { state.withLock { $0.counts[tenant, default: 0] + $0.ticks } }

    /// Returns once the tenant's number is beyond `seen`.
    func change(of tenant: String, after seen: Int) async {
        await withCheckedContinuation { continuation in
            let isThere = state.withLock { state in
                if state.counts[tenant, default: 0] + state.ticks > seen { return true }
                state.waiting[tenant, default: []].append(continuation)
                return false
            }
            if isThere { continuation.resume() }
        }
    }

    private func wake(_ tenant: String) {
        let waiting = state.withLock { state in
            state.counts[tenant, default: 0] += 1
            return state.waiting.removeValue(forKey: tenant) ?? []
        }
        for continuation in waiting { continuation.resume() }
    }

    private func wakeAll() {
        let waiting = state.withLock { state in
            state.ticks += 1
            defer { state.waiting = [:] }
            return state.waiting.values.flatMap { $0 }
        }
        for continuation in waiting { continuation.resume() }
    }
}
