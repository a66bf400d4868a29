/// Runs one connection's actor on a thread of its own, which sleeps until a job comes or the socket has
/// news (``ConnectionThread``).
///
/// PostgreSQL has a process for each connection; a thread here costs little beside it. It lets libpq's
/// few blocking calls (name lookup, TLS handshake steps) hold up nobody else, and an answer reaches the
/// actor on the thread that waited for it: with Dispatch, which has one thread waiting and wakes another
/// for every event, each statement took two changes of thread more.
package final class ConnectionExecutor: SerialExecutor {
    let thread: ConnectionThread

    /// - Throws: ``PostgresError`` if the system has no thread or descriptor left.
    init() throws {
        thread = ConnectionThread()
        try thread.start()
    }

    deinit { thread.stop() }

    package func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        thread.run { job.runSynchronously(on: self.asUnownedSerialExecutor()) }
    }

    package func checkIsolated() {
        precondition(thread.isCurrent, "expected to be on the connection's thread")
    }
}
