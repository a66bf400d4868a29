import Foundation
import Postgres
import TestSupport
import Testing

/// Reading a view costs a bounded number of probes, whatever the tables hold. Seen by the server's own
/// counters, which also see what runs inside functions.
@Suite struct DashboardCostTests {
    /// How each view is meant to be read, as its comment says.
    static let readings: [(view: String, sql: String)] = [
        ("overview", "select * from overview"), ("queue_health", "select * from queue_health"),
        ("throughput_by_minute", "select * from throughput_by_minute"),
        ("lane_backlog", "select * from lane_backlog where tenant_id = 't1'"),
        ("lane_backlog", "select * from lane_backlog limit 50"),
        ("job_recent", "select * from job_recent order by job_id desc limit 50"),
        ("job_recent", "select * from job_recent where job_id < 20000 order by job_id desc limit 50"),
        ("job_recent", "select * from job_recent where job_id = 77"),
        ("job_running", "select * from job_running"),
        ("job_scheduled", "select * from job_scheduled order by run_at limit 50"),
        ("job_parked", "select * from job_parked order by tenant_id, job_id limit 50"),
        ("job_of_tenant", "select * from job_of_tenant where tenant_id = 't1' order by job_id desc limit 50"),
        ("job_errors", "select * from job_errors"), ("worker_health", "select * from worker_health"),
        ("tenant_health", "select * from tenant_health order by tenant_id limit 50"),
        ("tenant_health", "select * from tenant_health where tenant_id = 't1'"),
        ("tenant_pressure", "select * from tenant_pressure"),
        ("token_health", "select * from token_health order by tenant_id limit 50"),
        ("token_health", "select * from token_health where tenant_id = 't9'"),
        ("token_health", "select * from token_health where state = 'needs_authorization' limit 50"),
        ("token_health", "select * from token_health where failures > 0 order by tenant_id limit 50"),
        ("exchange_log", "select * from exchange_log order by ended_at desc limit 50"),
        ("exchange_log", "select * from exchange_log where tenant_id = 't9' order by exchange_id desc limit 50"),
        ("provider_health", "select * from provider_health"), ("schedule_status", "select * from schedule_status"),
        ("sync_status", "select * from sync_status order by tenant_id, table_id limit 50"),
        ("sync_status", "select * from sync_status where tenant_id = 't9'"),
        ("sync_runs", "select * from sync_runs where finished_at is not null order by finished_at desc limit 50"),
        ("sync_runs", "select * from sync_runs where tenant_id = 't9' order by sync_id desc limit 50"),
        ("action_log", "select * from action_log order by action_id desc limit 50"),
        ("action_log", "select * from action_log where tenant_id = 't9' order by action_id desc limit 50"),
        ("action_log", "select * from action_log where job_id = 9 order by action_id desc limit 50"),
    ]

    /// 30 000 live jobs, one tenant with a third of them, as many ended ones, 5000 of everything else.
    private static let data = """
        insert into leasehold.tenant (tenant_id) select 't' || n from generate_series(1, 5000) as n;
        select leasehold.worker_register('\(OperationsWorld.worker)', 'w', 'h', 1, '1', '{default}', '{x.y}', 10, 3600);
        insert into leasehold.job (tenant_id, kind) select 't1', 'x.y' from generate_series(1, 10000);
        insert into leasehold.job (tenant_id, kind) select 't' || 1 + n % 5000, 'x.y' from generate_series(1, 20000) as n;
        select leasehold.enqueue('t2', 'x.y', run_at => clock_timestamp() + interval '1 hour') from generate_series(1, 3);
        select leasehold.job_claim('\(OperationsWorld.worker)', '{default}', 10);
        select leasehold.history_prepare((clock_timestamp() at time zone 'UTC')::date - 1, 3);
        insert into leasehold.job_history (job_id, ended_at, created_at, run_at, run, run_seconds, waited_turn, waited_limit,
            waited_worker, waited_parked, priority, attempt, max_attempts, kills, tenant_id, queue, kind, outcome, args)
        select -n, clock_timestamp() - (30000 - n) * interval '100 milliseconds', now(), now(), 1, 1, 1, 1, 1, 1, 0, 1, 20, 0,
            't' || 1 + n % 5000, 'default', 'x.y', 'completed', '{}' from generate_series(1, 30000) as n;
        insert into leasehold.job_attempt (job_id, ended_at, attempt, run, tenant_id, queue, kind, outcome, fingerprint)
        select -n, clock_timestamp() - (30000 - n) * interval '100 milliseconds', 1, 1, 't' || 1 + n % 5000, 'default', 'x.y',
            'retry', md5((n % 20)::text) from generate_series(1, 30000) as n;
        insert into leasehold.provider (provider) values ('p');
        insert into leasehold.credential (tenant_id, provider, state, generation, refresh_token, refresh_due_at)
        select 't' || n, 'p', 'active', 1, '\\x01', now() from generate_series(1, 5000) as n;
        insert into leasehold.credential_exchange (tenant_id, attempt_id, generation, rung, grant_kind, worker, started_at, outcome)
        select 't' || n, gen_random_uuid(), 1, 'refresh', 'refresh_token', gen_random_uuid(), now(), 'saved'
        from generate_series(1, 5000) as n;
        insert into leasehold.mirror_table (tenant_id, table_id, workspace_id, name)
        select 't' || n, 'tbl', 'wks', 'Table' from generate_series(1, 5000) as n;
        insert into leasehold.sync_run (tenant_id, table_id, job_id, job_run, state, mode, dialect, inserted, finished_at)
        select 't' || n, 'tbl', n, 1, 'merged', 'full', 'platform', 1, now() from generate_series(1, 5000) as n;
        analyze;
        """

    /// A function that reads all of a table for a role that may not.
    private static let scanner = """
        create function leasehold_dashboard.scan_all() returns bigint language sql security definer
        as $$ select count(*) from leasehold.job where args ? 'x' $$
        """

    /// Tables of which nothing may be read from end to end. Those that stay small are not among them.
    private static let watched = """
        (relname in ('job', 'credential', 'credential_exchange', 'sync_run', 'mirror_table') or relname ~ '^job_(history|attempt)')
        """

    /// What `sql` did: tables it read whole, and rows of jobs it fetched.
    ///
    /// The counters of a session are handed to the server about once a second, so a transaction begins with
    /// those of the ones before it: what counts is the difference.
    private func cost(_ sql: String, _ connection: PostgresConnection) async throws -> (whole: [String], fetched: Int64)
    {
        try await connection.run(
            script: "begin; set local search_path = leasehold_dashboard; set local role leasehold_dashboard"
        )
        let before = try await counters(connection)
        try await connection.query(sql: sql)
        let after = try await counters(connection)
        try await connection.run(script: "rollback")
        let done = after.merging(before) { ($0.scans - $1.scans, $0.scanned - $1.scanned, $0.fetched - $1.fetched) }
        let whole = done.filter { $0.value.scans > 0 && $0.value.scanned > 0 }.keys.sorted()
        return (whole, done["job"]?.fetched ?? 0)
    }

    /// Of one table: scans of all of it, rows they and samples read, and rows read in any way.
    private typealias Counters = (scans: Int64, scanned: Int64, fetched: Int64)

    /// By watched table, what this session has not handed to the server yet.
    private func counters(_ connection: PostgresConnection) async throws -> [String: Counters] {
        let rows = try await connection.query(
            sql: """
                select relname::text, seq_scan, seq_tup_read, seq_tup_read + coalesce(idx_tup_fetch, 0)
                from pg_stat_xact_user_tables where schemaname = 'leasehold' and \(Self.watched)
                """
        ).decode((String, Int64, Int64, Int64).self)
        return Dictionary(uniqueKeysWithValues: rows.map { ($0.0, ($0.1, $0.2, $0.3)) })
    }

    @Test func noReadingGoesThroughATable() async throws {
        try await withDatabase { database in
            try await database.pool(size: 1).withConnection { connection in
                try await connection.run(script: Self.data)
                for (view, sql) in Self.readings {
                    let found = try await cost(sql, connection)
                    #expect(found.whole == [], "\(view): \(sql)")
                    #expect(found.fetched < 12_000, "\(view): \(sql)")
                }
                for panel in try GrafanaPanel.all() {
                    let found = try await cost(panel.sql, connection)
                    #expect(found.whole == [], "\(panel.title): \(panel.sql)")
                    #expect(found.fetched < 12_000, "\(panel.title)")
                }
                // The measure itself sees a scan, also one inside a function of another owner.
                try await connection.run(script: Self.scanner)
                let seen = try await cost("select scan_all()", connection)
                #expect(seen.whole == ["job"])
                #expect(seen.fetched >= 30_000)
            }
        }
    }

    @Test func whatIsFewIsExactAndWhatIsManyIsEstimated() async throws {
        try await withDatabase { database in
            try await database.pool(size: 1).withConnection { connection in
                try await connection.run(script: Self.data)
                let row = try await connection.query(
                    sql: "select * from leasehold_dashboard.queue_health where queue = 'default'"
                ).only
                #expect(try row.decode("estimated", as: [String].self) == ["ready"])
                #expect(try row.decode("scheduled", as: Int64.self) == 3)
                #expect(try row.decode("running", as: Int64.self) == 10)
                let ready = try row.decode("ready", as: Int64.self)
                #expect((18_000...45_000).contains(ready), "29 990 jobs are ready, estimated \(ready)")
                let ended = try await connection.query(
                    sql: "select sum(completed)::bigint from leasehold_dashboard.throughput_by_minute"
                ).only.decode(0, as: Int64.self)
                #expect((24_000...36_000).contains(ended), "30 000 jobs ended in 50 minutes, estimated \(ended)")
                let pressed = try await connection.query(
                    sql: "select tenant_id from leasehold_dashboard.tenant_pressure order by ready desc limit 1"
                ).only.decode(0, as: String.self)
                #expect(pressed == "t1")
            }
        }
    }

    /// A sample's pages say how many there are for certain, so of those that are many few are read.
    @Test func whatIsManyForCertainIsNotRead() async throws {
        try await withDatabase { database in
            try await database.pool(size: 1).withConnection { connection in
                try await connection.run(script: Self.data)
                // The sample meets what is ready on some 200 pages of 400.
                let few = try await linesRead("leasehold.dashboard_queue_counts(200)", connection)
                let many = try await linesRead("leasehold.dashboard_queue_counts(1000)", connection)
                #expect(few == 0)
                #expect(many == 1001)
                // Not from another index, which holds those of all states, whatever the statistics say.
                try await connection.run(script: "analyze leasehold.job")
                let again = try await linesRead("leasehold.dashboard_queue_counts(1000)", connection)
                #expect(again == 1001)
                let pressed = try await connection.query(
                    sql: """
                        select p.tenant_id, p.is_estimate, p.ready,
                            (select count(*) from leasehold.job where tenant_id = p.tenant_id and state = 'ready')
                        from leasehold_dashboard.tenant_pressure as p
                        """
                ).decode((String, Bool, Int64, Int64).self)
                #expect(pressed.filter { $0.1 }.map(\.0) == ["t1"])
                for (tenant, isEstimate, ready, truth) in pressed {
                    let right = isEstimate ? (5_000...20_000).contains(ready) : ready == truth
                    #expect(right, "\(tenant): \(ready), not \(truth)")
                }
            }
        }
    }

    /// Entries of the index of lanes that a function reads.
    private func linesRead(_ call: String, _ connection: PostgresConnection) async throws -> Int64 {
        let count = "select pg_stat_get_xact_tuples_returned('leasehold.job_lane'::regclass)"
        try await connection.run(script: "begin")
        let before = try await connection.query(sql: count).only.decode(0, as: Int64.self)
        try await connection.query(sql: "select * from \(call)")
        let after = try await connection.query(sql: count).only.decode(0, as: Int64.self)
        try await connection.run(script: "rollback")
        return after - before
    }

    @Test(arguments: [
        (pages: 0, counts: 50.0, least: 0.0), (pages: 9, counts: 50, least: 0),
        (pages: 16, counts: 50, least: 200), (pages: 100, counts: 2, least: 140),
        (pages: 100, counts: 1, least: 100),
    ])
    func pagesSayHowManyThereAreAtLeast(_ sample: (pages: Int, counts: Double, least: Double)) async throws {
        try await withDatabase { database in
            let least = try await database.pool(size: 1).withConnection { connection in
                try await connection.query(
                    sql: "select leasehold.dashboard_at_least($1, $2)",
                    sample.pages,
                    sample.counts
                ).only.decode(0, as: Double.self)
            }
            #expect(least == sample.least)
        }
    }

    @Test func everyViewHasAReading() async throws {
        try await withDatabase { database in
            let views = try await database.pool(size: 1).withConnection { connection in
                try await connection.query(
                    sql: "select viewname::text from pg_views where schemaname = 'leasehold_dashboard'"
                )
                .map { try $0.decode(0, as: String.self) }
            }
            #expect(Set(views) == Set(Self.readings.map(\.view)))
        }
    }
}
