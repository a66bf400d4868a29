import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import Testing

@testable import PitchlySync

@Suite("The outbox of pushes")
struct PushOutboxTests {
    private func refusal(_ body: () async throws -> Void) async throws -> PostgresError? {
        do {
            try await body()
            return nil
        } catch let error as PostgresError {
            return error
        }
    }

    @Test("answers a second call with the same key with the first push, and refuses another change under it")
    func idempotency() async throws {
        try await PushWorld.with(.platform) { push in
            let first = try await push.push(push.records[0], push.text, "\"x\"", key: "k")
            #expect(try await push.push(push.records[0], push.text, "\"x\"", key: "k") == first)
            for (record, value) in [(push.records[0], "\"y\""), (push.records[1], "\"x\"")] {
                let error = try await refusal { _ = try await push.push(record, push.text, value, key: "k") }
                #expect(error?.sqlState == "LH002")
                #expect(error?.message.contains("idempotency_key") == true && error?.message.contains("\"y\"") == false)
            }
            #expect(try await push.drain() == .completed)
            #expect(try await push.push(push.records[0], push.text, "\"x\"", key: "k") == first)
            #expect(try await push.drain() == .completed)
            #expect(push.table.receivedWrites.count == 1)
        }
    }

    @Test("asks for one job per table, in the caller's own transaction")
    func job() async throws {
        try await PushWorld.with(.platform) { push in
            let jobs = "select args ->> 'table' as t from leasehold.job where kind = 'pitchly.push'"
            await #expect(throws: CancellationError.self) {
                try await push.world.pool.withTransaction { connection in
                    try await connection.query(
                        sql: "select leasehold.push('tenant-0', $1, 'rec', $2, 'k')",
                        push.table.id,
                        PostgresJSON(#"{"\#(push.text)": {"val": "x"}}"#)
                    )
                    throw CancellationError()
                }
            }
            #expect(try await push.world.rows(jobs).isEmpty)
            for number in 0..<3 { _ = try await push.push(push.records[number], push.text, "\"x\"", key: "k\(number)") }
            #expect(try await push.world.rows(jobs).map { try $0.decode("t", as: String.self) } == [push.table.id])
        }
    }

    @Test("refuses what cannot be meant, and says what would be right")
    func malformed() async throws {
        try await PushWorld.with(.platform) { push in
            let table = push.table.id
            let calls: [(sql: String, state: String, part: String)] = [
                (
                    "select leasehold.push('nobody', '\(table)', 'r', '{\"f\": {\"val\": 1}}', 'k')", "LH001",
                    "known tenant"
                ),
                (
                    "select leasehold.push('tenant-0', 'nope', 'r', '{\"f\": {\"val\": 1}}', 'k')", "P0002",
                    "no mirrored table"
                ),
                (
                    "select leasehold.push('tenant-0', '\(table)', 'r', '{\"f\": {\"val\": 1}}', 'k')", "LH002",
                    "field ids"
                ),
                ("select leasehold.push('tenant-0', '\(table)', 'r', '{}', 'k')", "LH002", "at least one field"),
                ("select leasehold.push('tenant-0', '\(table)', 'r', '[]', 'k')", "LH002", "at least one field"),
                ("select leasehold.push('tenant-0', '\(table)', 'r', '{\"\(push.text)\": 1}', 'k')", "LH002", "number"),
                ("select leasehold.push('tenant-0', '\(table)', null, '{}', 'k')", "LH002", "id of a record"),
                (
                    "select leasehold.push('tenant-0', '\(table)', 'r', '{\"\(push.text)\": {\"val\": 1}}', null)",
                    "LH002",
                    "idempotency_key"
                ),
                ("select leasehold.push_upsert('tenant-0', '\(table)', '{}', '{}', 'k')", "LH002", "match field"),
                (
                    "select leasehold.push_upsert('tenant-0', '\(table)', '{x}', '{\"\(push.text)\": {\"val\": 1}}', 'k')",
                    "LH002", "among the changes"
                ),
                (
                    "select leasehold.push_upsert('tenant-0', '\(table)', array['\(push.text)'], "
                        + "'{\"\(push.text)\": {\"val\": \"\"}}', 'k')", "LH002", "to have a value"
                ),
            ]
            for call in calls {
                let error = try await refusal { _ = try await push.world.rows(call.sql) }
                #expect(error?.sqlState == call.state, "\(call.sql)")
                #expect(error?.message.contains(call.part) == true, "\(call.sql): \(error?.message ?? "nothing")")
            }
            #expect(try await push.world.rows("select 1 from leasehold.push").isEmpty)
        }
    }

    @Test("inserts a row that no row matches and updates the one that does, at an API that upserts")
    func upsert() async throws {
        try await PushWorld.with(.v2) { push in
            let count = push.table.recordCount
            let changes = { (number: Int) in
                #"{"\#(push.text)": {"val": "Nobody's name"}, "\#(push.number)": {"val": \#(number)}}"#
            }
            let first = try await push.upsert([push.text], changes(1), key: "k1")
            let second = try await push.upsert([push.text], changes(2), key: "k2")
            #expect(try await push.drain() == .completed)
            let rows = [try await push.record(first), try await push.record(second)]
            #expect(rows.allSatisfy { $0.state == "done" }, "\(rows.map { $0.error ?? "" })")
            #expect(rows[0].record != nil && rows[0].record == rows[1].record)
            #expect(push.table.recordCount == count + 1)
            #expect(push.table.receivedWrites.map(\.kind) == [.insert, .update])
            #expect(try await push.world.sync(push.table, of: 0) == .completed)
            let shown = try await push.world.rows(
                "select (fields -> $1 -> 'val')::text as val from leasehold.mirror_record where record_id = $2",
                push.number,
                rows[0].record
            ).only
            #expect(try shown.decode("val", as: String.self) == "2")
        }
    }

    @Test("fails an upsert where the API has none")
    func noUpsert() async throws {
        try await PushWorld.with(.platform) { push in
            let id = try await push.upsert([push.text], #"{"\#(push.text)": {"val": "x"}}"#, key: "k")
            #expect(try await push.drain() == .completed)
            let row = try await push.record(id)
            #expect(row.state == "failed" && row.errorClass == "push_unsupported")
            #expect(push.table.receivedWrites.isEmpty)
        }
    }

    @Test("sends a failed push after all, unless a later one of the record is done; a cancelled one never")
    func steering() async throws {
        try await PushWorld.with(.platform) { push in
            let outbox = PushOutbox(pool: push.world.pool)
            let tenant = push.world.tenant(0)
            let bad = try await push.push(push.records[0], push.number, "\"no number\"", key: "bad")
            let cancelled = try await push.push(push.records[1], push.text, "\"x\"", key: "cancelled")
            #expect(try await outbox.cancel(cancelled, of: tenant) == "cancelled")
            #expect(try await push.drain() == .completed)
            #expect(push.table.receivedWrites.isEmpty)
            #expect(try await outbox.list(of: tenant, state: "failed").map(\.id) == [bad])
            // The field becomes one that takes the value: now it can be sent.
            try push.world.server.edit(table: push.table.id, [.retypeField(push.number, type: .text)])
            #expect(try await outbox.retry(bad, of: tenant) == "waiting")
            #expect(try await push.drain() == .completed)
            #expect(push.received(push.records[0]) == ["no number"])
            #expect(try await outbox.retry(bad, of: tenant) == "done")
            let later = try await push.push(push.records[1], push.text, "\"y\"", key: "later")
            #expect(try await push.drain() == .completed)
            #expect(try await push.record(later).state == "done")
            let error = try await refusal { _ = try await outbox.retry(cancelled, of: tenant) }
            #expect(error?.sqlState == "LH002" && error?.message.contains("push \(later) came after") == true)
            await #expect(throws: NoPush(tenant: tenant, push: 4711)) { try await outbox.show(4711, of: tenant) }
        }
    }

    @Test("keeps what ended for its time and what waits for ever")
    func prune() async throws {
        try await PushWorld.with(.platform) { push in
            let done = try await push.push(push.records[0], push.text, "\"x\"", key: "a")
            #expect(try await push.drain() == .completed)
            let waiting = try await push.push(push.records[1], push.text, "\"x\"", key: "b")
            _ = try await push.world.rows(
                """
                update leasehold.push set created_at = created_at - interval '31 days',
                    ended_at = ended_at - interval '31 days' where push_id in ($1, $2)
                """,
                done,
                waiting
            )
            try await push.world.jobs.prunePushes()
            let left = try await PushOutbox(pool: push.world.pool).list(of: push.world.tenant(0))
            #expect(left.map(\.id) == [waiting])
        }
    }

    @Test(
        "decides by the kind of the error",
        arguments: [
            (.unreachable, 9, 0, .allLater), (.unavailable, 1, 30, .allLater), (.malformed, 2, 0, .allLater),
            (.throttled, 5, 0, .untouched), (.unauthenticated, 1, 0, .untouched), (.invalidDocument, 3, 0, .untouched),
            (.invalidArgument, 2, 0, .halve), (.invalidArgument, 1, 0, .refused), (.forbidden, 1, 0, .refused),
            (.notFound, 1, 0, .refused), (.server, 2, 7, .halve), (.server, 1, 6, .later), (.server, 1, 7, .refused),
        ] as [(PitchlyError.Kind, Int, Int, PushVerdict)]
    )
    func verdicts(kind: PitchlyError.Kind, count: Int, attempts: Int, verdict: PushVerdict) {
        #expect(PushVerdict(kind, count: count, attempts: attempts) == verdict)
    }
}
