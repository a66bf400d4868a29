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
            let outcome = try await syncTable(&reading, isFull: args.full ?? false)
            await refreshViews(of: args.table, context)
            return outcome
        } catch {
            return try outcome(of: error, advanced: reading.hasAdvanced)
        }
    }

    private struct TableArgs: Decodable {
        let table: String
        /// True reads everything, whatever is due.
        let full: Bool?
    }

    private func syncTable(_ reading: inout TableReading, isFull: Bool) async throws -> JobOutcome {
        let context = reading.context
        let client = client(for: context)
        let shown = try await client.readDated(dialect.table(id: reading.table))
        guard let table = shown.value else {
            try await store.markGone(reading.table, of: context.tenant)
            context.logger.info("sync_table_gone", metadata: ["table": "\(reading.table)"])
            return .completed
        }
        let changes = try await store.put(table.fields, of: table.id, in: context.tenant)
        if !changes.isEmpty {
            context.logger.info(
                "sync_fields_changed",
                metadata: ["table": "\(table.id)", "changes": "\(changes.json)"]
            )
        }
        func open(fullEvery: Duration?) async throws -> SyncRun {
            try await store.open(
                table.id,
                for: context,
                dialect: dialect.name.rawValue,
                fullEvery: fullEvery,
                fieldChanges: changes,
                sourceTime: shown.date
            )
        }
        if !isFull, dialect.filtersByUpdate, settings.incremental.allows(table.fields) {
            let run = try await open(fullEvery: settings.fullEvery)
            guard run.mode != .full else { return try await syncWhole(run, client, &reading) }
            if let outcome = try await syncChanges(run, client, &reading) { return outcome }
        }
        return try await syncWhole(open(fullEvery: nil), client, &reading)
    }

    private func syncWhole(
        _ opened: SyncRun,
        _ client: PitchlyClient,
        _ reading: inout TableReading
    ) async throws -> JobOutcome {
        var run = opened
        return try await merge(&run, client, &reading) == nil ? stop(run) : .completed
    }

    /// - Returns: nil if a full run is needed: records were deleted, or the API does not take the
    ///   assumed filter.
    private func syncChanges(
        _ opened: SyncRun,
        _ client: PitchlyClient,
        _ reading: inout TableReading
    ) async throws -> JobOutcome? {
        var run = opened
        let reason: String
        do {
            guard let result = try await merge(&run, client, &reading) else { return stop(run) }
            if try await isWhole(result, run.table, client) { return .completed }
            reason = "records were deleted"
        } catch let error as PitchlyError where [.invalidArgument, .invalidDocument].contains(error.kind) {
            reason = error.description
        }
        reading.context.logger.notice("sync_full_needed", metadata: ["table": "\(run.table)", "reason": "\(reason)"])
        return nil
    }

    /// Reads and merges. Once more from the first page if the server lost what was staged, or if
    /// fewer records came than the API counts, or none of a table that had some: records that moved
    /// between two pages while they were read would otherwise count as deleted, or as not changed.
    ///
    /// - Returns: nil for a suspicious run.
    private func merge(
        _ run: inout SyncRun,
        _ client: PitchlyClient,
        _ reading: inout TableReading
    ) async throws -> MergeResult? {
        var isSecondLook = false
        for _ in 0...TableReading.restartLimit {
            try await read(&run, client, &reading)
            if isSecondLook, run.mode == .full, let expected = run.expectedRows, run.rows < expected / 2 {
                throw SyncInterruption.incomplete(table: run.table, rows: run.rows, expected: expected)
            }
            switch try await store.merge(run, settings: settings, acceptsShort: isSecondLook) {
            case .merged(let result):
                reading.context.logger.info("sync_merged", metadata: result.metadata(run))
                try await store.clear(run)
                return result
            case .suspicious(let result):
                reading.context.logger.warning("sync_suspicious", metadata: result.metadata(run))
                try await store.clear(run)
                return nil
            case .short(let records):
                reading.context.logger.notice(
                    "sync_short",
                    metadata: [
                        "table": "\(run.table)", "sync": "\(run.id)", "records": "\(records)",
                        "expected": "\(run.expectedRows.map(String.init) ?? "unknown")",
                    ]
                )
                isSecondLook = true
                try await store.startOver(&run)
            case .stageLost:
                try await store.startOver(&run)
            }
        }
        throw SyncInterruption.stageLost(syncID: run.id)
    }

    /// Whether the mirror has as many records as the table after an incremental run, which sees no
    /// deletions. True where the API does not count: then the next full run finds them.
    private func isWhole(_ result: MergeResult, _ table: String, _ client: PitchlyClient) async throws -> Bool {
        let page = try await client.read(dialect.page(PageRequest(table: table, cursor: nil, size: 1)))
        return page.totalCount.map { $0 == result.recordCount } ?? true
    }

    private func stop(_ run: SyncRun) -> JobOutcome {
        .discard(
            reason: "suspicious: too many records of table \(run.table) would be deleted, see run \(run.id) (try, once "
                + "Pitchly really has no more: leasehold sync confirm --tenant \(run.tenant) --table \(run.table))"
        )
    }
}

extension MergeResult {
    func metadata(_ run: SyncRun) -> Logger.Metadata {
        [
            "table": "\(run.table)", "sync": "\(run.id)", "mode": run.mode == .full ? "full" : "incremental",
            "pages": "\(run.pages)", "rows": "\(run.rows)", "inserted": "\(inserted)", "updated": "\(updated)",
            "deleted": "\(deleted)", "unchanged": "\(unchanged)",
        ]
    }
}
