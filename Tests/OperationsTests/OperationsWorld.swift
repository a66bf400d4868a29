import Foundation
import Postgres
import TestSupport

/// The checkout that the tests were built from.
enum Checkout {
    static let root = URL(filePath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) throws -> String {
        try String(contentsOf: root.appending(path: path), encoding: .utf8)
    }

    /// Paths below `folder`, relative to the root, sorted.
    static func files(in folder: String, endingWith ending: String) -> [String] {
        let base = root.appending(path: folder).path()
        return (FileManager.default.enumerator(atPath: base)?.compactMap { $0 as? String } ?? [])
            .filter { $0.hasSuffix(ending) }.map { folder + "/" + $0 }.sorted()
    }
}

/// Three tenants with a job in every state, a worker, errors, credentials and syncs.
///
/// `a` has one job completed, one discarded with the label `boom`, one running and one ready; `b` has one
/// scheduled; `c` is held and has one parked.
struct OperationsWorld {
    let database: TestDatabase
    let pool: PostgresPool

    static let worker = "00000000-0000-4000-8000-000000000001"

    init(_ database: TestDatabase) async throws {
        self.database = database
        pool = database.pool(size: 2)
        try await pool.withConnection { try await $0.run(script: Self.script) }
    }

    func rows(_ sql: String) async throws -> PostgresRows {
        try await pool.withConnection { try await $0.query(sql: sql) }
    }

    func value<Value: PostgresDecodable & Sendable>(
        _ sql: String,
        as type: Value.Type = Value.self
    ) async throws -> Value {
        try await rows(sql).only.decode(0, as: type)
    }

    /// Each row of `columns`, written with blanks between.
    func lines(_ columns: String, _ rest: String) async throws -> [String] {
        try await rows("select concat_ws(' ', \(columns)) \(rest)").map { try $0.decode(0, as: String.self) }
    }

    private static let script = """
        insert into leasehold.tenant (tenant_id, name) values ('a', 'Acme'), ('b', 'Beta'), ('c', 'Cato');
        select leasehold.worker_register('\(worker)', 'w1', 'here', 7, '1', '{default}', '{x.y}', 10, 3600);
        select leasehold.enqueue('a', 'x.y') from generate_series(1, 4);
        select leasehold.enqueue('b', 'x.y', queue => 'later', run_at => clock_timestamp() + interval '1 hour');
        select leasehold.enqueue('c', 'x.y');
        select leasehold.tenant_park('c', 'needs authorization');
        select leasehold.job_claim('\(worker)', '{default}', 3);
        select leasehold.job_settle(
            (array_agg(job_id order by job_id))[1:2], (array_agg(run order by job_id))[1:2], array['complete', 'discard'],
            labels => array[null, 'boom'], errors => array[null, 'went off at 17'])
        from leasehold.job where state = 'running';
        insert into leasehold.provider (provider) values ('pitchly');
        insert into leasehold.credential (tenant_id, provider, state, generation, refresh_token, access_expires_at,
            refresh_due_at, failures, last_outcome, needs_authorization_at)
        values ('a', 'pitchly', 'active', 3, '\\x01', clock_timestamp() + interval '1 hour',
                clock_timestamp() + interval '30 minutes', 0, 'saved', null),
            ('c', 'pitchly', 'needs_authorization', 5, '\\x01', null, null, 2, 'dead', clock_timestamp());
        insert into leasehold.credential_exchange (tenant_id, attempt_id, generation, rung, grant_kind, worker,
            started_at, outcome, http_status)
        values ('a', gen_random_uuid(), 2, 'refresh', 'refresh_token', '\(worker)', clock_timestamp(), 'saved', 200);
        insert into leasehold.mirror_table (tenant_id, table_id, workspace_id, name, record_count)
        values ('a', 'tbl1', 'wks', 'People', 10), ('a', 'tbl2', 'wks', 'Places', 5);
        insert into leasehold.sync_run (tenant_id, table_id, job_id, job_run, state, mode, dialect, rows, expected_rows,
            inserted, updated, deleted, unchanged, reason, finished_at)
        values ('a', 'tbl1', 1, 1, 'merged', 'full', 'platform', 10, 10, 1, 2, 3, 4, null, clock_timestamp()),
            ('a', 'tbl1', 1, 1, 'reading', 'full', 'platform', 5, 20, null, null, null, null, null, null),
            ('a', 'tbl2', 1, 1, 'suspicious', 'full', 'platform', 0, 5, null, null, null, null, 'would delete all',
                clock_timestamp());
        """
}
