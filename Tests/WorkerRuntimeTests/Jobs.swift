import JobQueue
import LeaseholdCore
import Synchronization

@testable import WorkerRuntime

/// A value that several tasks of a test write.
final class Locked<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) { mutex = Mutex(value) }

    var value: Value { mutex.withLock { $0 } }

    func withLock<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        mutex.withLock { body(&$0) }
    }
}

/// A claimed job in one line.
func claimedJob(
    _ id: Int64 = 1,
    run: Int64 = 1,
    kind: String = "test.kind",
    args: String = "{}",
    progress: String? = nil,
    attempt: Int = 1
) -> ClaimedJob {
    ClaimedJob(
        id: JobID(rawValue: id),
        run: RunID(rawValue: run),
        tenant: TenantID(rawValue: "t1")!,
        kind: JobKind(rawValue: kind)!,
        args: args,
        attempt: attempt,
        progress: progress
    )
}
