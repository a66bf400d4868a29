/// How a transaction behaves; everything left out is the server's default.
package struct PostgresTransactionOptions: Sendable, Hashable {
    package enum Isolation: String, Sendable, Hashable {
        case readCommitted = "read committed"
        case repeatableRead = "repeatable read"
        case serializable
    }

    /// When COMMIT answers: `on` after the flush to disk and the synchronous standby's confirmation,
    /// `local` after our own disk, `off` before, which may lose the last commits in a crash.
    package enum SynchronousCommit: String, Sendable, Hashable {
        case on
        case off
        case local
        case remoteWrite = "remote_write"
        case remoteApply = "remote_apply"
    }

    package var isolation: Isolation?
    package var isReadOnly: Bool
    /// Waits for a snapshot that cannot fail with a serialization error; only for serializable,
    /// read-only transactions.
    package var isDeferrable: Bool
    package var synchronousCommit: SynchronousCommit?

    package init(
        isolation: Isolation? = nil,
        isReadOnly: Bool = false,
        isDeferrable: Bool = false,
        synchronousCommit: SynchronousCommit? = nil
    ) {
        self.isolation = isolation
        self.isReadOnly = isReadOnly
        self.isDeferrable = isDeferrable
        self.synchronousCommit = synchronousCommit
    }

    /// BEGIN with everything that must stand before the first statement.
    func script(localSettings: [String]) -> String {
        var begin = "begin"
        if let isolation { begin += " isolation level \(isolation.rawValue)" }
        if isReadOnly { begin += " read only" }
        if isDeferrable { begin += " deferrable" }
        var settings = localSettings
        if let synchronousCommit { settings.append("synchronous_commit = \(synchronousCommit.rawValue)") }
        return ([begin] + settings.map { "set local \($0)" }).joined(separator: "; ")
    }
}
