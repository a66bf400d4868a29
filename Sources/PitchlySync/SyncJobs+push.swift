import Foundation
package import JobQueue
package import LeaseholdCore
import Logging
import Pitchly

extension SyncJobs {
    /// Sends the outbox of one table. Args: `{"table": "<table id>"}`. Enqueued by `leasehold.push`, one
    /// at a time per table.
    package static let pushKind = JobKind(rawValue: "pitchly.push")!

    /// `pitchly.push`: sends what waits for a table, record by record in order, until nothing is due.
    ///
    /// A push is settled after its answer came; killed in between, the next claim presents it again,
    /// which sets the same values once more.
    ///
    /// - Throws: ``PostgresError`` and CancellationError; everything else becomes an outcome.
    package func push(_ context: SyncContext) async throws -> JobOutcome {
        guard let args = try? JSONDecoder().decode(PushArgs.self, from: Data(context.args.utf8)) else {
            return .discard(reason: "expected args {\"table\": \"<table id>\"}, got another shape")
        }
        var sending = PushSending(table: args.table, context: context, client: client(for: context))
        do {
            return try await drain(&sending)
        } catch {
            return try outcome(of: error, advanced: sending.sent > 0)
        }
    }

    private struct PushArgs: Decodable { let table: String }

    /// Pushes that ended stay for the idempotency keys and for people to look at.
    package func prunePushes() async throws {
        while try await pushes.prune(keep: settings.keepPushes, batch: 1000) == 1000 {}
    }

    private var pushes: PushStore { PushStore(pool: store.pool) }

    private func drain(_ sending: inout PushSending) async throws -> JobOutcome {
        let (table, tenant) = (sending.table, sending.context.tenant)
        while true {
            if try await pushes.isPaused(tenant) { throw SyncInterruption.paused(tenant: tenant) }
            let items = try await pushes.take(table, of: tenant, limit: settings.pushBatch)
            if items.isEmpty {
                guard let delay = try await pushes.due(table, of: tenant) else { break }
                if delay > .zero {
                    return .snooze(
                        max(delay, .seconds(1)),
                        reason: "pushes of table \(table) rest after failed attempts"
                    )
                }
                continue
            }
            for group in groups(items) { try await deliver(group, &sending) }
            try await sending.context.saveProgress("{\"sent\":\(sending.sent),\"refused\":\(sending.refused)}")
        }
        sending.context.logger.info(
            "push_drained",
            metadata: ["table": "\(table)", "sent": "\(sending.sent)", "refused": "\(sending.refused)"]
        )
        return .completed
    }

    /// Updates as many together as the API takes; upserts one by one.
    private func groups(_ items: [PushStore.Item]) -> [[PushStore.Item]] {
        let updates = items.filter { $0.matchFields == nil }
        let width = max(1, dialect.writeLimit)
        let packed = stride(from: 0, to: updates.count, by: width).map { start in
            Array(updates[start..<min(start + width, updates.count)])
        }
        return packed + items.filter { $0.matchFields != nil }.map { [$0] }
    }

    private func deliver(_ group: [PushStore.Item], _ sending: inout PushSending) async throws {
        let tenant = sending.context.tenant
        guard let operation = try await makeOperation(for: group, sending) else {
            sending.refused += group.count
            return
        }
        do {
            let records = try await sending.client.write(operation)
            let isUpsert = group.count == 1 && group[0].matchFields != nil
            try await pushes.settle(group, of: tenant, .done, record: isUpsert ? records.first : nil)
            sending.sent += group.count
        } catch let error as PitchlyError {
            let verdict = PushVerdict(error.kind, count: group.count, attempts: group[0].attempts)
            if verdict == .halve {
                try await deliver(Array(group[..<(group.count / 2)]), &sending)
                return try await deliver(Array(group[(group.count / 2)...]), &sending)
            }
            try await note(error, verdict, group, &sending)
        }
    }

    private func note(
        _ error: PitchlyError,
        _ verdict: PushVerdict,
        _ group: [PushStore.Item],
        _ sending: inout PushSending
    ) async throws {
        let tenant = sending.context.tenant
        switch verdict {
        case .halve: break
        case .untouched: throw error
        case .allLater:
            try await pushes.settle(group, of: tenant, .again, errorClass: error.label, error: error.message)
            throw error
        case .later:
            try await pushes.settle(group, of: tenant, .again, errorClass: error.label, error: error.message)
        case .refused:
            try await pushes.settle(group, of: tenant, .failed, errorClass: error.label, error: error.message)
            sending.refused += group.count
            sending.context.logger.warning(
                "push_refused",
                metadata: ["table": "\(sending.table)", "push": "\(group[0].id)", "error": "\(error)"]
            )
        }
    }

    /// - Returns: nil, with the group settled, where the API has nothing for it.
    private func makeOperation(
        for group: [PushStore.Item],
        _ sending: PushSending
    ) async throws -> GraphQLOperation<[String]>? {
        let writes = try group.map { item in
            let target = item.matchFields.map { RecordWrite.Target.match(fields: $0) } ?? .record(item.record ?? "")
            return try RecordWrite(target, changes: item.changes)
        }
        guard group[0].matchFields != nil else { return dialect.update(writes, table: sending.table) }
        if let operation = dialect.upsert(writes[0], table: sending.table) { return operation }
        try await pushes.settle(
            group,
            of: sending.context.tenant,
            .failed,
            errorClass: "push_unsupported",
            error: "expected an API that upserts, got the dialect \(dialect.name), which does not"
        )
        return nil
    }
}

/// What one claim has sent so far.
struct PushSending: Sendable {
    let table: String
    let context: SyncContext
    let client: PitchlyClient
    var sent = 0
    var refused = 0
}
