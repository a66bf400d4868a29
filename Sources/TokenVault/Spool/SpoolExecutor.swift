import Dispatch

/// Runs an actor on a queue of its own, because its calls to the file system block.
final class SpoolExecutor: SerialExecutor {
    private let queue = DispatchQueue(label: "leasehold.spool")

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        let executor = asUnownedSerialExecutor()
        queue.async { job.runSynchronously(on: executor) }
    }

    func checkIsolated() { dispatchPrecondition(condition: .onQueue(queue)) }
}
