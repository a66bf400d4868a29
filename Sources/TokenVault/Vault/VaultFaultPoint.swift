package import LeaseholdCore

/// Where a test stops, kills or disturbs an exchange. Numbered as the steps of the protocol.
package enum VaultFaultPoint: String, Sendable, CaseIterable {
    /// 0: the key ring opened, a test seal done, a spool slot reserved.
    case prepared = "0-prepared"
    /// 1: transaction A is committed.
    case intentCommitted = "1-intent-committed"
    /// 2: transaction B holds the row.
    case rowHeld = "2-row-held"
    /// 3: the POST is about to go out.
    case sending = "3-sending"
    /// 3: the POST has ended; the reply is in memory only.
    case replied = "3-replied"
    /// 4: the sealed reply is on the disk.
    case spooled = "4-spooled"
    /// 5: the reply is parsed, nothing is written.
    case parsed = "5-parsed"
    /// 6: the row is saved and committed.
    case committed = "6-committed"
    /// 7: the waiters have the token.
    case published = "7-published"
}

/// Called at every point; whatever it does happens there. Only tests and debug builds give one.
package typealias VaultFaultHook = @Sendable (VaultFaultPoint, TenantID) async -> Void
