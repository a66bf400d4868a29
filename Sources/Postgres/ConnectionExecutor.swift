import Dispatch

/// Runs one connection's actor on its own serial queue, so that libpq's few blocking calls (name
/// lookup, TLS handshake steps) hold up nobody else, and Dispatch sources can enter the actor
/// without a hop.
///
/// A private class because there is no `DispatchSerialQueue` outside Apple's platforms.
package final class ConnectionExecutor: SerialExecutor {
    let queue: DispatchQueue

    init(label: String) {
        queue = DispatchQueue(label: label)
    }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        queue.async {
            job.runSynchronously(on: self.asUnownedSerialExecutor())
        }
    }

    package func checkIsolated() {
        dispatchPrecondition(condition: .onQueue(queue))
    }
}
