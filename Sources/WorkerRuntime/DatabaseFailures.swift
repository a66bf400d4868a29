internal import JobQueue
internal import LeaseholdCore
internal import Postgres

/// True if the database was not there or has not answered.
func isAway(_ error: any Error) -> Bool {
    if error is CancellationError || error is NoAnswer { return true }
    return (error as? PostgresError)?.isConnectionLost ?? false
}

/// True if the database refuses what is written and would refuse it again: data exceptions (SQLSTATE
/// class 22) and broken constraints (23). Everything else, such as a full disk, a standby that is
/// still read-only after a failover or a statement timeout, may pass.
func blamesData(_ error: any Error) -> Bool {
    if let error = error as? JobQueueError { return error.code == .invalidRequest }
    guard let error = error as? PostgresError else { return false }
    if error.code == .parameters { return true }
    return error.sqlState.map { $0.hasPrefix("22") || $0.hasPrefix("23") } ?? false
}
