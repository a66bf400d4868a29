import Foundation
package import JobQueue
import LeaseholdCore
import Logging
import Pitchly

extension SyncJobs {
    /// `pitchly.sync_table`: reads a table page by page and merges it into the mirror.
    ///
    /// Killed at any point, the next claim goes on from the last checkpoint; until the merge commits,
    /// readers see the mirror as it was.
    ///
    /// - Throws: ``PostgresError`` and CancellationError; everything else becomes an outcome.
    package func syncTable(_ context: SyncContext) async throws -> JobOutcome {
        guard let args = try? JSONDecoder().decode(TableArgs.self, from: Data(context.args.utf8)) else {
            return .discard(reason: "expected args {\"table\": \"<table id>\"}, got another shape")
        }
        var reading = TableReading(table: args.table, context: context, pageSize: settings.pageSize)
        do {
            return try await syncTable(&reading)
        } catch {
            return try outcome(of: error, advanced: reading.hasAdvanced)
        }
    }

    private struct TableArgs: Decodable { let table: String }

    private func syncTable(_ reading: inout TableReading) async throws -> JobOutcome {
        let context = reading.context
        let client = client(for: context)
        guard let table = try await client.read(dialect.table(id: reading.table)) else {
            try await store.markGone(reading.table, of: context.tenant)
            context.logger.info("sync_table_gone", metadata: ["table": "\(reading.table)"])
            return .completed
        }
        var run = try await store.open(reading.table, for: context, mode: .full, dialect: dialect.name)
        let changes = try await store.put(table.fields, of: run)
        if !changes.isEmpty {
            context.logger.info("sync_fields_changed", metadata: ["changes": .array(changes.map { "\($0)" })])
        }
        for _ in 0...TableReading.restartLimit {
            try await read(&run, client, &reading)
            switch try await store.merge(run, settings: settings, highMark: nil) {
            case .merged(let result): return try await finish(run, result, context)
            case .suspicious(let result): return try await stop(run, result, context)
            case .stageLost: try await store.startOver(&run)
            }
        }
        throw SyncInterruption.stageLost(syncID: run.id)
    }

    private func finish(_ run: SyncRun, _ result: MergeResult, _ context: SyncContext) async throws -> JobOutcome {
        context.logger.info("sync_merged", metadata: result.metadata(run))
        try await store.clear(run)
        return .completed
    }

    private func stop(_ run: SyncRun, _ result: MergeResult, _ context: SyncContext) async throws -> JobOutcome {
        context.logger.warning("sync_suspicious", metadata: result.metadata(run))
        try await store.clear(run)
        let known = result.unchanged + result.updated + result.deleted
        return .discard(
            reason: "suspicious: would delete \(result.deleted) of \(known) records of table \(run.table) (try: "
                + "select leasehold.sync_confirm('\(run.tenant)', '\(run.table)'), once Pitchly really has no more)"
        )
    }
}

extension MergeResult {
    func metadata(_ run: SyncRun) -> Logger.Metadata {
        [
            "table": "\(run.table)", "sync": "\(run.id)", "pages": "\(run.pages)", "rows": "\(run.rows)",
            "inserted": "\(inserted)", "updated": "\(updated)", "deleted": "\(deleted)", "unchanged": "\(unchanged)",
        ]
    }
}
