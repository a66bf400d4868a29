package import LeaseholdCore
package import Postgres
import SQLFiles

extension JobQueue {
    /// Ends runs, in one statement. Safe to repeat: a run that was settled already answers
    /// `leaseLost`.
    ///
    /// - Returns: one result a settlement, in order.
    package func settle(_ settlements: [Settlement]) async throws -> [SettleResult] {
        guard !settlements.isEmpty else { return [] }
        return try await explained {
            try finish(settlements, answer: try await pool.query(Self.call(settlements)))
        }
    }

    /// Saves what a running job has done so far, as JSON; the next run of the job gets it.
    ///
    /// - Returns: false if the run is over, for example because the worker was thought dead: the
    ///   handler should stop.
    package func saveProgress(job: JobID, run: RunID, json: String) async throws -> Bool {
        try await saveProgress(job: job, run: run, json: json) { try await pool.query($0) }
    }

    /// Saves progress in the transaction that is open on `connection`.
    package func saveProgress(
        job: JobID,
        run: RunID,
        json: String,
        on connection: PostgresConnection
    ) async throws -> Bool {
        try await saveProgress(job: job, run: run, json: json) { try await connection.query($0) }
    }

    private func saveProgress(
        job: JobID,
        run: RunID,
        json: String,
        _ query: (PostgresCall) async throws -> PostgresRows
    ) async throws -> Bool {
        try await query(PostgresCall(.jobProgress, job.rawValue, run.rawValue, PostgresJSON(json))).affectedRows == 1
    }

    static func call(_ settlements: [Settlement]) -> PostgresCall {
        PostgresCall(
            .jobSettle,
            settlements.map(\.job.rawValue),
            settlements.map(\.run.rawValue),
            settlements.map(\.word),
            settlements.map { $0.delay?.seconds },
            settlements.map(\.errorLabel),
            settlements.map(\.reason),
            settlements.map { $0.ran?.seconds }
        )
    }

    /// Reads the answer in the order of the request.
    func finish(_ settlements: [Settlement], answer: PostgresRows) throws -> [SettleResult] {
        var fates: [JobID: (run: Int64, fate: JobFate)] = [:]
        for (job, run, word) in try answer.decode((Int64, Int64, String).self) {
            guard let fate = JobFate(rawValue: word) else { continue }
            fates[JobID(rawValue: job)] = (run, fate)
        }
        leases.settle(settlements)
        return settlements.map { settlement in
            // Taken out, so that a run given twice is settled once.
            guard let (run, fate) = fates[settlement.job], run == settlement.run.rawValue else { return .leaseLost }
            fates[settlement.job] = nil
            return .settled(fate)
        }
    }
}
