import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

extension ServiceCheckup {
    /// One row of `doctor_work`; what the columns mean depends on `fact`.
    struct WorkFact: Sendable {
        var fact: String
        var subject: String
        var amount: Int64
        var others: Int64
        var seconds: Double?
        var detail: String
    }

    /// A wait that is worth a warning, in seconds.
    private static let longWait = 900.0

    func work() async throws -> [Finding] {
        let facts = try await pool.query(.doctorWork).map { row in
            WorkFact(
                fact: try row.decode("fact"),
                subject: try row.decode("subject"),
                amount: try row.decode("amount"),
                others: try row.decode("others"),
                seconds: try row.decode("seconds"),
                detail: try row.decode("detail")
            )
        }
        return Self.workers(facts) + Self.queues(facts) + facts.compactMap(Self.other)
    }

    static func workers(_ facts: [WorkFact]) -> [Finding] {
        let check = "queue.workers"
        let workers = facts.filter { $0.fact == "worker" }
        let alive = workers.filter { ["working", "sleeping"].contains($0.detail) }
        let silent = workers.filter { $0.detail == "silent" }.map { worker in
            Finding(
                .warning,
                check,
                of: worker.subject,
                "no sign of life for \(Times.span(worker.seconds ?? 0)); another worker rescues its jobs",
                command: "look at its log; without another worker: leasehold worker"
            )
        }
        guard !alive.isEmpty else {
            return silent + [Finding(.problem, check, "expected a live worker, got none", command: "leasehold worker")]
        }
        let places = alive.reduce(0) { $0 + $1.others }
        let running = alive.reduce(0) { $0 + $1.amount }
        return silent + [Finding(.ok, check, "\(alive.count) live, running \(running) of \(places) jobs at once")]
    }

    static func queues(_ facts: [WorkFact]) -> [Finding] {
        facts.filter { $0.fact == "queue" }.map { queue in
            let check = "queue.backlog"
            let wait = queue.seconds.map { Times.span($0) } ?? "0 s"
            if queue.detail == "paused" {
                return Finding(
                    .note,
                    check,
                    of: queue.subject,
                    "is paused; \(queue.amount) jobs wait",
                    command: "leasehold queues resume \(queue.subject)"
                )
            }
            if queue.amount > 0, queue.others == 0 {
                return Finding(
                    .problem,
                    check,
                    of: queue.subject,
                    "\(queue.amount) jobs wait, and no worker serves the queue",
                    command: "leasehold worker --worker-queues \(queue.subject)"
                )
            }
            if let seconds = queue.seconds, seconds > longWait {
                return Finding(
                    .warning,
                    check,
                    of: queue.subject,
                    "\(queue.amount) jobs wait, one of them for \(wait)",
                    command: "leasehold top"
                )
            }
            let text = queue.amount == 0 ? "nothing waits" : "\(queue.amount) jobs wait, the longest for \(wait)"
            return Finding(.ok, check, of: queue.subject, text)
        }
    }

    static func other(_ fact: WorkFact) -> Finding? {
        switch fact.fact {
        case "provider":
            Finding(
                .problem,
                "tokens.provider",
                of: fact.subject,
                "no exchange may start: \(fact.detail)",
                command: "psql -c 'select * from leasehold_dashboard.provider_health'"
            )
        case "schedule":
            Finding(
                .warning,
                "queue.schedules",
                of: fact.subject,
                "was due \(Times.span(fact.seconds ?? 0)) ago and nothing has fired it",
                command: "leasehold worker"
            )
        case "sync":
            Finding(
                .warning,
                "sync.suspicious",
                of: "\(fact.subject) \(fact.detail)",
                "sync \(fact.amount) would have deleted too much and changed nothing",
                command: "leasehold sync diff --tenant \(fact.subject) --table \(fact.detail), and if it is right:"
                    + " leasehold sync confirm --tenant \(fact.subject) --table \(fact.detail)"
            )
        default: nil
        }
    }

    func lanes() async throws -> [Finding] {
        let check = "queue.lanes"
        let findings = try await pool.query(.doctorLanes).map { row in
            Finding(
                .problem,
                check,
                of: "\(try row.decode("tenant_id", as: String.self)) in \(try row.decode("queue", as: String.self))",
                "job \(try row.decode("job_id", as: Int64.self)) has been ready for "
                    + "\(Times.span(try row.decode("waited_seconds"))) and nothing will serve it",
                command: "psql -c 'select * from leasehold.reconcile()'"
            )
        }
        return findings.isEmpty ? [Finding(.ok, check, "the lanes agree with the jobs")] : findings
    }

    func leases() async throws -> [Finding] {
        let check = "queue.leases"
        let findings = try await pool.query(.doctorLeases).map { row in
            let name = try row.decode("name", as: String?.self) ?? "worker"
            return Finding(
                .problem,
                check,
                of: "\(name) \(try row.decode("worker_id", as: UUID.self))",
                "is gone and still has \(try row.decode("jobs", as: Int64.self)) jobs, one for "
                    + Times.span(try row.decode("oldest_seconds")),
                command: "psql -c 'select * from leasehold.worker_rescue()'"
            )
        }
        return findings.isEmpty ? [Finding(.ok, check, "no job is with a worker that is gone")] : findings
    }
}
