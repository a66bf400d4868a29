import LeaseholdCore
import Postgres
import SQLFiles

extension SyncJobs {
    /// Rows of one kind that one statement removes at most.
    private static let pruneBatch = 10_000

    /// Removes old changes, old runs and staged records without a run, batch by batch. To be called
    /// every few minutes by any worker.
    package func prune() async throws {
        var isMore = true
        while isMore {
            let row = try await store.pool.query(
                .mirrorPrune,
                settings.keepChanges.seconds,
                settings.keepRuns.seconds,
                settings.abandonAfter.seconds,
                Int32(Self.pruneBatch)
            ).only
            isMore = try ["changes", "runs", "staged"].contains { column in
                try row.decode(column, as: Int.self) >= Self.pruneBatch
            }
        }
    }
}
