import Foundation
package import LeaseholdCore
import Postgres
import SQLFiles

extension JobQueue {
    /// Adds one life of a worker process.
    package func register(_ worker: WorkerRegistration) async throws {
        try await explained {
            try await pool.query(
                .workerRegister,
                worker.id.rawValue,
                worker.name,
                worker.host,
                worker.processID,
                worker.version,
                worker.queues.map(\.rawValue),
                worker.kinds.map(\.rawValue),
                Int32(clamping: worker.concurrency),
                worker.lapse.seconds
            )
        }
    }

    /// The worker goes; what it still runs goes back at once without counting the attempt.
    ///
    /// - Returns: how many jobs went back.
    @discardableResult
    package func unregister(_ worker: WorkerID) async throws -> Int {
        let rows = try await pool.query(.workerUnregister, worker.rawValue)
        leases.forget(worker)
        return Int(try rows.only.decode(0, as: Int64.self))
    }

    /// A sign of life. Everything that a notification may have told before is in the answer.
    package func heartbeat(_ worker: WorkerID) async throws -> Heartbeat {
        let oldest = leases.oldestOpen(of: worker)
        let row = try await pool.query(.workerHeartbeat, worker.rawValue, oldest).only
        let jobs = try row.decode("cancel_job_ids", as: [Int64].self)
        let runs = try row.decode("cancel_runs", as: [Int64].self)
        return Heartbeat(
            alive: try row.decode("alive"),
            cancelRequested: zip(jobs, runs).map { (JobID(rawValue: $0), RunID(rawValue: $1)) }
        )
    }

    /// What the worker runs according to the database: also jobs of a claim whose answer got lost.
    package func running(by worker: WorkerID) async throws -> [(job: JobID, run: RunID)] {
        try await pool.query(.workerJobs, worker.rawValue).decode((Int64, Int64).self).map {
            (JobID(rawValue: $0), RunID(rawValue: $1))
        }
    }

    /// Declares workers without a heartbeat lapsed and gives their jobs to others.
    ///
    /// - Returns: the jobs, each with what became of it.
    package func rescue() async throws -> [RescuedJob] {
        try await explained {
            try await pool.query(.workerRescue).decode((UUID, Int64, Int64, String).self).compactMap {
                worker,
                job,
                run,
                word in
                JobFate(rawValue: word).map { fate in
                    RescuedJob(
                        worker: WorkerID(rawValue: worker),
                        job: JobID(rawValue: job),
                        run: RunID(rawValue: run),
                        fate: fate
                    )
                }
            }
        }
    }

    /// Notes that the worker claims no more and finishes what it runs.
    package func stop(_ worker: WorkerID) async throws {
        try await pool.query(.workerStop, worker.rawValue)
    }

    /// From now on an enqueue for the worker's queues notifies `leasehold_wake`, for at most
    /// `duration`. Then call ``outlook()`` and claim once more before sleeping: what came in between
    /// notified nobody.
    package func sleep(_ worker: WorkerID, for duration: Duration) async throws {
        try await pool.query(.workerSleep, worker.rawValue, duration.seconds)
    }

    /// The worker needs no notifications any more.
    package func wake(_ worker: WorkerID) async throws {
        try await pool.query(.workerWake, worker.rawValue)
    }

    package func outlook() async throws -> WorkerOutlook {
        let row = try await pool.query(.workerOutlook).only
        return WorkerOutlook(
            dueIn: try row.decode("due_in", as: Double?.self).map { .seconds($0) },
            inFlight: try row.decode("in_flight")
        )
    }
}
