import Foundation
package import LeaseholdCore

/// What a worker process says of itself when it starts.
package struct WorkerRegistration: Sendable {
    package let id: WorkerID
    package let name: String
    package let host: String
    package let processID: Int32
    package let version: String?
    package let queues: [QueueName]
    package let kinds: [JobKind]
    package let concurrency: Int
    /// Without a heartbeat for so long the worker has lapsed, and others take its jobs.
    package let lapse: Duration

    package init(
        id: WorkerID,
        name: String,
        queues: [QueueName],
        kinds: [JobKind],
        host: String = ProcessInfo.processInfo.hostName,
        processID: Int32 = ProcessInfo.processInfo.processIdentifier,
        version: String? = nil,
        concurrency: Int = 1,
        lapse: Duration = .seconds(30)
    ) {
        self.id = id
        self.name = name
        self.host = host
        self.processID = processID
        self.version = version
        self.queues = queues
        self.kinds = kinds
        self.concurrency = concurrency
        self.lapse = lapse
    }
}

/// The answer to a heartbeat.
package struct Heartbeat: Sendable {
    /// False: the worker has lapsed. Others may run its jobs already; it must stop them and start a
    /// new life under a new id.
    package let alive: Bool
    /// Running jobs of the worker that somebody asked to cancel; told again at each heartbeat until
    /// they end.
    package let cancelRequested: [(job: JobID, run: RunID)]
}

/// A job that a lapsed worker held.
package struct RescuedJob: Sendable {
    package let worker: WorkerID
    package let job: JobID
    package let run: RunID
    package let fate: JobFate
}

/// What a worker needs to know before it sleeps.
package struct WorkerOutlook: Sendable {
    /// How long until the next job is due or the next throttled lane opens; below zero if one is.
    package let dueIn: Duration?
    /// Transactions are open that may have enqueued before the worker said that it sleeps: their
    /// commit may not notify it. It should look again soon, with growing pauses.
    package let inFlight: Bool
}

/// What ``JobQueue/claim(_:)`` is asked for.
package struct ClaimRequest: Sendable {
    package let worker: WorkerID
    package let queues: [QueueName]
    /// Most jobs, 1 to 10 000.
    package let limit: Int
    /// A notification has just ended the worker's sleep, and another claim will follow: what came last
    /// may be all that this one looks for, in half the time.
    package let woken: Bool

    package init(worker: WorkerID, queues: [QueueName], limit: Int, woken: Bool = false) {
        self.worker = worker
        self.queues = queues
        self.limit = limit
        self.woken = woken
    }
}
