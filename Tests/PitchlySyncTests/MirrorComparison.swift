import FakePitchly
import Foundation
import LeaseholdCore
import Pitchly
import PitchlySync
import Postgres
import Testing

extension SyncWorld {
    /// Expects the mirror of a table to be the fake's source, record by record and cell by cell.
    ///
    /// - Returns: whether it is.
    @discardableResult
    func expectMirror(
        of table: FakeTable,
        tenant number: Int,
        _ comment: Comment? = nil,
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> Bool {
        let source = try source(of: table)
        let mirror = try await mirror(of: table, tenant: number)
        let isWhole = Set(mirror.keys) == Set(source.keys)
        if !isWhole {
            let ids = (Set(source.keys).subtracting(mirror.keys), Set(mirror.keys).subtracting(source.keys))
            Issue.record(
                "only in the source: \(ids.0), only in the mirror: \(ids.1) \(comment?.description ?? "")",
                sourceLocation: sourceLocation
            )
        }
        for (id, record) in source {
            guard mirror[id] != record else { continue }
            Issue.record(
                "record \(id): expected \(record), got \(String(describing: mirror[id])) \(comment?.description ?? "")",
                sourceLocation: sourceLocation
            )
            return false
        }
        let counted = try await rows(
            "select record_count from leasehold.mirror_table where tenant_id = $1 and table_id = $2",
            tenant(number).rawValue,
            id(of: table)
        ).only
        let count = try counted.decode(0, as: Int.self)
        #expect(count == source.count, comment, sourceLocation: sourceLocation)
        return isWhole && count == source.count
    }

    /// Of each record, of each field: value and shown text.
    func mirror(of table: FakeTable, tenant number: Int) async throws -> [String: NSDictionary] {
        let rows = try await rows(
            "select record_id, fields, labels from leasehold.mirror_record where tenant_id = $1 and table_id = $2",
            tenant(number).rawValue,
            id(of: table)
        )
        return try Self.records(rows)
    }

    static func records(_ rows: some Sequence<PostgresRow>) throws -> [String: NSDictionary] {
        var records: [String: NSDictionary] = [:]
        for row in rows {
            let fields = try object(row.decode("fields", as: PostgresJSON.self).text)
            let labels = try row.decode("labels", as: PostgresJSON?.self).map { try object($0.text) } ?? [:]
            let cells = NSMutableDictionary()
            for (name, value) in fields {
                let own = (value as? [String: Any])?["val"] ?? NSNull()
                cells[name] = ["value": value, "stringValue": labels[name] ?? own] as NSDictionary
            }
            records[try row.decode("record_id", as: String.self)] = cells
        }
        return records
    }

    /// The fake's records as the dialect shows them: v2 has no prefixes, no cell without content and
    /// no shown texts, for which ``records(_:)`` takes the value's own.
    func source(of table: FakeTable) throws -> [String: NSDictionary] {
        let records = try Self.source(server.records(table: table.id))
        guard dialect == .v2 else { return records }
        var shown: [String: NSDictionary] = [:]
        for (id, record) in records {
            let cells = NSMutableDictionary()
            for case (let field as String, let cell as NSDictionary) in record {
                guard let value = cell["value"] as? NSDictionary, let own = value["val"] else { continue }
                let name = String(try #require(field.split(separator: "|").last).dropFirst(3))
                cells[name] = ["value": value, "stringValue": own] as NSDictionary
            }
            shown[String(id.dropFirst(3))] = cells
        }
        return shown
    }

    private static func source(_ lines: [String]) throws -> [String: NSDictionary] {
        var records: [String: NSDictionary] = [:]
        for line in lines {
            // What PostgreSQL cannot store is replaced, and that is part of the contract.
            let record = try object(line.replacing(#"\u0000"#, with: #"\ufffd"#))
            let id = try #require(record["id"] as? String)
            records[id] = try #require(record["fields"] as? NSDictionary)
        }
        return records
    }

    private static func object(_ text: String) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any])
    }
}
