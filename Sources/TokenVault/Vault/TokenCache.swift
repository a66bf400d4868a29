import LeaseholdCore
import Synchronization

/// Access tokens that were read or made lately. Serves the many calls of one job; the row decides
/// again after a few seconds, because another worker may have rotated or a person reconnected.
final class TokenCache: Sendable {
    private struct Entry {
        let token: AccessToken
        let until: Duration
    }

    private let entries = Mutex<[TenantID: Entry]>([:])

    /// - Parameter failed: the generation that the API refused.
    func token(_ tenant: TenantID, replacing failed: Int64?, now: Duration) -> AccessToken? {
        entries.withLock { entries in
            guard let entry = entries[tenant], entry.until > now, entry.token.generation > failed ?? -1 else {
                return nil
            }
            return entry.token
        }
    }

    /// Keeps the newest generation only.
    func put(_ token: AccessToken, for tenant: TenantID, until: Duration) {
        entries.withLock { entries in
            if let known = entries[tenant], known.token.generation > token.generation, known.until > until { return }
            entries[tenant] = Entry(token: token, until: until)
        }
    }

    func forget(_ tenant: TenantID) { entries.withLock { $0[tenant] = nil } }

    func forgetAll() { entries.withLock { $0 = [:] } }
}
