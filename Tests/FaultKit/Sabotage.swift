/// A world in which the vault cannot keep its promises, to prove that the audit of a run would tell.
/// Nothing of the product is changed: these are mistakes that can be made around it.
package enum Sabotage: String, Sendable, CaseIterable {
    /// Spools on disks that go with their containers: an answer that was there is lost, so a person is
    /// asked to log in without need.
    case spool
    /// The same, and a well-meant cleaner that deletes the intents of sessions that are gone: tokens are
    /// presented twice.
    case memory
    /// A grace window in the settings that the provider does not have: the replay kills what the access
    /// token would have brought back.
    case grace

    var losesSpools: Bool { self != .grace }

    /// What the cleaner runs, again and again.
    static let cleaner = """
        update leasehold.credential
        set attempt_id = null, attempt_generation = null, attempt_rung = null, attempt_grant = null,
            attempt_worker = null, attempt_started_at = null, attempt_deadline = null,
            suspect_reason = null, suspect_at = null, suspect_presented_at = null, suspect_deadline = null,
            refresh_due_at = clock_timestamp()
        where tenant_id in (
            select tenant_id from leasehold.credential where attempt_id is not null for update skip locked)
        """
}
