/// Why a handler was cancelled from outside. The first reason stays.
public enum StopReason: Sendable, Equatable {
    /// It ran longer than its kind or its job allows.
    case timeout(Duration)
    /// Somebody cancelled the job.
    case cancelRequested
    /// The worker ends; the job is handed back and its attempt is not counted.
    case shutdown
    /// The worker may have lost its lease: another worker may run the job.
    case leaseLost

    /// Without a variable part, for logs and metrics.
    package var label: String {
        switch self {
        case .timeout: "timeout"
        case .cancelRequested: "cancel_requested"
        case .shutdown: "shutdown"
        case .leaseLost: "lease_lost"
        }
    }
}
