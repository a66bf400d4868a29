package import LeaseholdCore
package import Logging
import Pitchly
import Postgres
import SQLFiles

extension SyncJobs {
    /// Reads a whole table at Pitchly and compares it with its mirror. Writes nothing.
    ///
    /// Holds the ids of the table's records in memory, about 100 MB per million; contents are compared
    /// page by page, by hash.
    ///
    /// - Parameters:
    ///   - examples: ids kept of each kind of difference.
    ///   - progress: called after each page with the records read so far and the API's own count.
    /// - Throws: ``NoMirroredTable``, ``PitchlyError``, ``SyncInterruption``, ``PostgresError``.
    package func diff(
        _ table: String,
        of tenant: TenantID,
        examples: Int = 5,
        logger: Logger,
        progress: (_ rows: Int, _ expected: Int?) -> Void = { _, _ in }
    ) async throws -> TableDiff {
        let context = SyncContext(
            tenant: tenant,
            job: JobID(rawValue: 0),
            run: RunID(rawValue: 0),
            args: "{}",
            logger: logger
        )
        let client = client(for: context)
        let before = try await store.position(of: table, in: tenant)
        guard let shown = try await client.read(dialect.table(id: table)) else {
            throw TableGone(tenant: tenant, table: table)
        }
        var diff = TableDiff(table: table)
        diff.fields = TableDiff.fieldLines(
            mirror: try await store.fields(of: table, in: tenant),
            source: shown.fields.map { FieldFacts(id: $0.id, name: $0.name, type: $0.type) }
        )
        var reading = TableReading(table: table, context: context, pageSize: settings.pageSize)
        var seen = Set<String>()
        var cursor: String?
        repeat {
            let page = try await page(table, after: cursor, &reading, client)
            try await compare(page.records.filter { seen.insert($0.id).inserted }, table, tenant, &diff, keep: examples)
            progress(seen.count, page.totalCount)
            cursor = page.nextCursor
        } while cursor != nil
        try await findMissing(table, tenant, seen, &diff, keep: examples)
        diff.mirrorMoved = try await store.position(of: table, in: tenant) != before
        return diff
    }

    /// Smaller pages where the API refuses the size; a cursor that expired ends the comparison.
    private func page(
        _ table: String,
        after cursor: String?,
        _ reading: inout TableReading,
        _ client: PitchlyClient
    ) async throws -> RecordPage {
        while true {
            do {
                return try await PageSource(client: client, table: table, size: reading.pageSize, updatedAfter: nil)
                    .page(after: cursor)
            } catch let error as PitchlyError where error.kind == .invalidArgument && cursor == nil {
                guard reading.remedy(isFirstPage: true) == .smallerPages else { throw error }
            }
        }
    }

    private func compare(
        _ records: [PitchlyRecord],
        _ table: String,
        _ tenant: TenantID,
        _ diff: inout TableDiff,
        keep limit: Int
    ) async throws {
        let hashes = try await store.hashes(of: records.map(\.id), table, in: tenant)
        for record in records {
            switch hashes[record.id] {
            case nil: diff.inserted.add(record.id, keep: limit)
            case record.contentHash: diff.equal += 1
            default: diff.changed.add(record.id, keep: limit)
            }
        }
    }

    private func findMissing(
        _ table: String,
        _ tenant: TenantID,
        _ seen: Set<String>,
        _ diff: inout TableDiff,
        keep limit: Int
    ) async throws {
        var after: String?
        while true {
            let ids = try await store.records(of: table, in: tenant, after: after, limit: 10_000)
            for id in ids where !seen.contains(id) { diff.missing.add(id, keep: limit) }
            guard let last = ids.last else { return }
            after = last
        }
    }
}

/// Pitchly no longer shows a table that is mirrored.
package struct TableGone: ExplainedError, Equatable {
    package let tenant: TenantID
    package let table: String

    package var label: String { "pitchly_table_gone" }
    package var message: String {
        "expected table \(table) of tenant \(tenant) at Pitchly, got none; its mirror is kept"
    }
    package var hint: String? { "leasehold sync run --tenant \(tenant)" }
}

extension MirrorStore {
    /// The position of the newest change.
    fileprivate func position(of table: String, in tenant: TenantID) async throws -> Int64 {
        guard let row = try await pool.query(.mirrorTableList, tenant.rawValue, table).first else {
            throw NoMirroredTable(tenant: tenant, table: table)
        }
        return try row.decode("last_position")
    }

    fileprivate func fields(of table: String, in tenant: TenantID) async throws -> [FieldFacts] {
        try await pool.query(.mirrorFieldList, tenant.rawValue, table).map { row in
            FieldFacts(id: try row.decode("field_id"), name: try row.decode("name"), type: try row.decode("type"))
        }
    }

    fileprivate func hashes(
        of records: [String],
        _ table: String,
        in tenant: TenantID
    ) async throws -> [String: [UInt8]] {
        var hashes: [String: [UInt8]] = [:]
        for row in try await pool.query(.mirrorHashList, tenant.rawValue, table, records) {
            let record = try row.decode("record_id", as: String.self)
            hashes[record] = try row.decode("content_hash", as: [UInt8].self)
        }
        return hashes
    }

    fileprivate func records(
        of table: String,
        in tenant: TenantID,
        after: String?,
        limit: Int
    ) async throws -> [String] {
        try await pool.query(.mirrorRecordList, tenant.rawValue, table, after, Int32(clamping: limit))
            .map { try $0.decode("record_id") }
    }
}
