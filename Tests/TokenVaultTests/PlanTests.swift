import Foundation
import LeaseholdCore
import Postgres
import SQLFiles
import Testing

@testable import TokenVault

/// What the vault asks often reads no table from end to end: neither with statistics of full tables,
/// nor with plans that a session made when the tables were empty, which it keeps until the next
/// ANALYZE. Counted where EXPLAIN cannot look, inside the functions: by the scans of each table in the
/// transaction of each statement.
@Suite struct PlanTests {
    private static let count = 20_000
    private static let tables = [
        "credential", "credential_archive", "credential_event", "credential_exchange", "job", "schedule", "tenant",
    ]

    @Test func noStatementReadsAWholeTableWithStatisticsOfFullTables() async throws {
        try await withVaultWorld { world in
            _ = try await world.vault()
            try await fill(world)
            try await world.sql("analyze")
            try await world.pool.withConnection { connection in
                for calls in transactions() + reads() { try await expectIndexes(calls, connection) }
            }
        }
    }

    @Test func noPlanThatWasMadeForEmptyTablesReadsThemWholeOnceTheyAreFull() async throws {
        try await withVaultWorld { world in
            _ = try await world.vault()
            for table in Self.tables {
                try await world.sql("alter table leasehold.\(table) set (autovacuum_enabled = false)")
            }
            for table in Self.tables { try await world.sql("vacuum analyze leasehold.\(table)") }
            try await world.pool.withConnection { connection in
                // Often enough for a plan to be kept.
                for _ in 0..<8 {
                    for calls in transactions() {
                        try await undone(connection) { for call in calls { try await connection.query(call) } }
                    }
                }
                try await fill(world)
                for calls in transactions() { try await expectIndexes(calls, connection) }
            }
        }
    }

    /// Every fifth tenant is suspect, every tenth being exchanged, every hundredth has a job; most are due.
    private func fill(_ world: VaultWorld) async throws {
        try await world.sql(
            "insert into leasehold.tenant (tenant_id) select 't' || i from generate_series(0, $1::int - 1) i",
            Int32(Self.count)
        )
        try await world.sql(
            """
            insert into leasehold.credential (
                tenant_id, provider, state, generation, refresh_token, access_token, access_issued_at,
                access_expires_at, refresh_planned_at, refresh_due_at, suspect_reason, suspect_at,
                suspect_presented_at, suspect_deadline)
            select
                't' || i, 'pitchly', 'active', 1, '\\xab', '\\xab', moment - interval '2 hours',
                moment - interval '1 hour', moment - interval '1 hour', moment - i * interval '1 millisecond',
                case when i % 5 = 1 then 'ambiguous' end, case when i % 5 = 1 then moment end,
                case when i % 5 = 1 then moment end, case when i % 5 = 1 then moment end
            from generate_series(0, $1::int - 1) i, clock_timestamp() moment
            """,
            Int32(Self.count)
        )
        try await world.sql(
            """
            insert into leasehold.credential_exchange (
                tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, outcome)
            select 't' || i % 1000, gen_random_uuid(), i, 'refresh', 'refresh_token', gen_random_uuid(),
                clock_timestamp(), 'saved'
            from generate_series(1, $1::int) i
            """,
            Int32(Self.count)
        )
        try await world.sql(
            """
            insert into leasehold.credential_event (tenant_id, kind, generation)
            select 't' || i % 1000, 'recovered', i from generate_series(1, $1::int) i
            """,
            Int32(Self.count)
        )
        try await world.sql(
            "select count(leasehold.enqueue('t' || i * 100, 'test.kind')) from generate_series(0, $1::int / 100 - 1) i",
            Int32(Self.count)
        )
        try await world.sql(
            """
            insert into leasehold.schedule (name, tenant_id, kind, every_seconds)
            select 's' || i, 't' || i * 3, 'test.kind', 3600 from generate_series(0, $1::int / 3 - 1) i
            """,
            Int32(Self.count)
        )
    }

    /// What belongs together stands together; every list is undone afterwards.
    private func transactions() -> [[PostgresCall]] {
        let others: [[PostgresCall]] = [
            [PostgresCall(.credentialRead, "t0", Int64?.none, 5000 as Int64, 5000 as Int64, true, "c")],
            [PostgresCall(.credentialRequest, "t2", 1 as Int64)],
            [
                PostgresCall(
                    .credentialTakeDue,
                    "pitchly",
                    "c",
                    8 as Int32,
                    64 as Int32,
                    [String](),
                    10_000 as Int64,
                    300_000 as Int64
                )
            ],
            [
                PostgresCall(
                    .credentialTakeDue,
                    "pitchly",
                    "c",
                    500 as Int32,
                    5000 as Int32,
                    [String](),
                    10_000 as Int64,
                    300_000 as Int64
                )
            ],
            [
                PostgresCall(
                    .credentialTakeDue,
                    "pitchly",
                    "c",
                    2 as Int32,
                    64 as Int32,
                    ["t0", "t100", "t2"],
                    10_000 as Int64,
                    300_000 as Int64
                )
            ],
            [PostgresCall(.credentialSuspect, "t1", 1000 as Int64)],
            [PostgresCall(.credentialStanding, ["t0", "t1", "t2"])],
            [PostgresCall(.credentialLock, "t0")],
            [PostgresCall(.credentialPostpone, "t1", 1 as Int64, 1000 as Int64)],
            [PostgresCall(.credentialDoubt, "t0", 1 as Int64, Date(), Date())],
            [PostgresCall(.credentialGiveUp, "t1", 1 as Int64, "no answer")],
            [PostgresCall(.exchangePrune, 86_400.0, 1000 as Int32)],
        ]
        return exchanges() + others
    }

    /// By people, in sessions that begin when they ask.
    private func reads() -> [[PostgresCall]] {
        [
            [PostgresCall(.credentialShow, "t0")],
            [PostgresCall(.credentialList, String?.none, "t5", 100 as Int32)],
            [PostgresCall(.credentialEvents, "t7", 50 as Int32)],
            [PostgresCall(.exchangeHistory, "t7", 50 as Int32)],
        ]
    }

    private func exchanges() -> [[PostgresCall]] {
        let (attempt, worker, now) = (UUID(), UUID(), Date())
        let begin = PostgresCall(
            .exchangeBegin,
            "t0",
            "pitchly",
            attempt,
            worker,
            "refresh",
            String?.none,
            1 as Int64,
            60_000 as Int64,
            1000 as Int64
        )
        let connect = PostgresCall(
            .exchangeBegin,
            "t4",
            "pitchly",
            attempt,
            worker,
            "connect",
            "access_token",
            Int64?.none,
            60_000 as Int64,
            1000 as Int64
        )
        let hold = PostgresCall(.exchangeHold, "t0", attempt, 1 as Int64)
        let save = PostgresCall(
            .exchangeSave,
            "t0",
            attempt,
            1 as Int64,
            [0xab] as [UInt8],
            "refresh",
            "refresh_token",
            worker,
            now,
            200 as Int32,
            "f",
            "c",
            false,
            [0xcd] as [UInt8],
            true,
            [0xcd] as [UInt8],
            now,
            now,
            now,
            String?.none,
            String?.none
        )
        let fail = PostgresCall(
            .exchangeFail,
            "t0",
            attempt,
            1 as Int64,
            "refresh",
            "refresh_token",
            worker,
            now,
            "f",
            "c",
            "ambiguous",
            "no_reply",
            Int32?.none,
            "ambiguous",
            false,
            0 as Int64,
            1000 as Int64,
            "unanswered",
            Int64?.none,
            [UInt8]?.none,
            Date?.none
        )
        return [
            [begin, hold, save], [begin, fail], [begin, PostgresCall(.exchangeCancel, "t0", attempt)], [connect],
        ]
    }

    private func undone(_ connection: PostgresConnection, _ body: () async throws -> Void) async throws {
        try await connection.run(script: "begin")
        try await body()
        try await connection.run(script: "rollback")
    }

    private func expectIndexes(_ calls: [PostgresCall], _ connection: PostgresConnection) async throws {
        try await undone(connection) {
            for call in calls {
                let before = try await wholeReads(connection)
                try await connection.query(call)
                let after = try await wholeReads(connection)
                for table in Self.tables {
                    let reads = after[table, default: 0] - before[table, default: 0]
                    #expect(reads == 0, "\(call.file.name) reads all of leasehold.\(table)")
                }
            }
        }
    }

    private func wholeReads(_ connection: PostgresConnection) async throws -> [String: Int64] {
        try await connection.query(
            sql: "select relname::text, seq_scan from pg_stat_xact_user_tables where schemaname = 'leasehold'"
        ).reduce(into: [:]) { found, row in
            let (table, scans) = try row.decode((String, Int64).self)
            found[table] = scans
        }
    }
}
