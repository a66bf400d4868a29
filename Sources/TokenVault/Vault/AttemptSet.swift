import Foundation
import Synchronization

/// Attempts that this process is working on: their spool records are not for replaying.
final class AttemptSet: Sendable {
    private let attempts = Mutex<Set<UUID>>([])

    func insert(_ attempt: UUID) { attempts.withLock { _ = $0.insert(attempt) } }

    func remove(_ attempt: UUID) { attempts.withLock { _ = $0.remove(attempt) } }

    func contains(_ attempt: UUID) -> Bool { attempts.withLock { $0.contains(attempt) } }
}
