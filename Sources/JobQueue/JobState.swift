/// Where a job is in its life: a state while it is live, an outcome once it has ended. Drawn in
/// `sql/README.md`; a test holds this, the drawing and the checks in SQL together.
package enum JobState: String, Sendable, CaseIterable {
    /// Waits for its time.
    case scheduled
    /// Waits for its turn.
    case ready
    /// A worker holds it.
    case running
    /// Waits for its tenant, its sequence key, or other jobs.
    case parked
    case completed
    case discarded
    case cancelled

    package var hasEnded: Bool {
        switch self {
        case .scheduled, .ready, .running, .parked: false
        case .completed, .discarded, .cancelled: true
        }
    }
}
