import JobQueue
import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

/// What the statements of the queue read, counted by the server: which indexes they scan and how often,
/// and whether they scan a whole table. Statements inside functions count like any other.
@Suite struct PlanTests {
    /// Tables that grow with the work. The others hold a row per worker, queue or kind.
    private static let growing: Set<String> = [
        "job", "lane", "wake", "job_idempotency", "job_dependency", "job_cancel", "tenant", "tenant_hold", "lease",
    ]

    @Test func everyStatementKeepsItsPlanWithStatisticsOfAnEmptyAndOfAFullTable() async throws {
        async let ofEmptyTables = withWorld { world in
            try await world.run(Self.withoutAutovacuum + "analyze;" + Self.load)
            return try await world.scans()
        }
        let (full, huge) = try await withWorld { world in
            try await world.run(Self.withoutAutovacuum + Self.load + "analyze;")
            let full = try await world.scans()
            try await world.run(Self.fiftyfold)
            return (full, try await world.scans())
        }
        let empty = try await ofEmptyTables
        for operation in PlanOperation.all {
            #expect(empty[operation.name] == full[operation.name], "\(operation.name)")
            #expect(huge[operation.name] == full[operation.name], "\(operation.name), a million jobs")
            #expect(full[operation.name]?.isEmpty == false, "\(operation.name) reads something")
            let whole = Set((full[operation.name] ?? [:]).keys).intersection(Self.growing)
            #expect(whole == [], "\(operation.name) reads whole tables")
        }
    }

    @Test func everyFunctionInPLpgSQLPinsItsSearchPathAndForbidsJIT() async throws {
        try await withWorld { world in
            // Compiling takes longer than any of these statements runs, and the planner's guess of when it
            // pays depends on statistics. Functions in SQL have no settings where the planner is to
            // inline them: a setting forbids that, and they run under the settings of their caller. Immutable
            // ones read no table.
            let loose = try await world.sql(
                """
                select p.proname::text from pg_proc as p join pg_language as l on l.oid = p.prolang
                where p.pronamespace = 'leasehold'::regnamespace and l.lanname = 'plpgsql' and p.provolatile <> 'i'
                    and not (coalesce(p.proconfig, '{}') @> '{jit=off}'
                        and exists (select from unnest(p.proconfig) as c where c like 'search_path=%'))
                order by 1
                """
            ).map { try $0.decode(0, as: String.self) }
            #expect(loose == [])
        }
    }

    /// An update of an indexed column, or one that finds no room on its page, writes every index.
    @Test func aClaimAndAHeartbeatWriteNoIndexEntry() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants((1...20).map { "t\($0)" })
            let worker = try await world.addWorker()
            for tenant in tenants { try await world.fill(tenant, jobs: 50) }
            let call = "select count(*) from leasehold.job_claim($1, '{default}', 200)"
            try await world.expectHot("job", updates: 200, call, worker.rawValue)
            try await world.expectHot("worker", updates: 1, "select leasehold.worker_heartbeat($1)", worker.rawValue)
        }
    }

    /// A saturated tenant, a paused one and future jobs stand before the work: what a claim reads does not
    /// grow with them.
    @Test func aClaimDoesNotReadWhatItCannotTake() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("full", "paused", "future", "working")
            let worker = try await world.addWorker()
            try await world.sql("update leasehold.tenant set max_running = 1 where tenant_id = 'full'")
            for tenant in tenants { try await world.fill(tenant, jobs: 5000) }
            try await world.sql(
                """
                insert into leasehold.job (tenant_id, kind, run_at)
                select 'future', 'noop', clock_timestamp() + interval '1 day' from generate_series(1, 5000)
                """
            )
            #expect(try await world.claim(worker, 40).count == 40)
            try await world.sql("update leasehold.tenant set state = 'paused' where tenant_id = 'paused'")
            #expect(try await world.claim(worker, 40).count == 40)
            try await world.pool.withConnection { connection in
                try await connection.query(sql: "begin")
                let before = try await connection.rowsRead("job")
                try await connection.query(
                    sql: "select count(*) from leasehold.job_claim($1, '{default}', 40)",
                    worker.rawValue
                )
                let read = try await connection.rowsRead("job") - before
                try await connection.query(sql: "rollback")
                #expect(read < 1000, "\(read) rows and index entries read for 40 jobs")
            }
        }
    }

    /// Statistics of over a million jobs of 10 000 tenants: the planner takes the rows of a page from here and
    /// counts the pages itself.
    private static let fiftyfold = """
        update pg_class set reltuples = reltuples * 50
        where relnamespace = 'leasehold'::regnamespace and relkind in ('r', 'i', 'p', 'I') and reltuples > 100
        """

    private static let withoutAutovacuum = """
        select leasehold.history_prepare((clock_timestamp() at time zone 'UTC')::date, 2);
        do $$
        declare
            name regclass;
        begin
            for name in
                select oid from pg_class where relnamespace = 'leasehold'::regnamespace and relkind = 'r'
            loop
                execute format('alter table %s set (autovacuum_enabled = false)', name);
            end loop;
        end $$;

        """

    private static let load = """
        insert into leasehold.tenant (tenant_id) select 't' || i from generate_series(1, 2000) as i;
        insert into leasehold.worker (worker_id, name, host, queues, kinds, concurrency, lapse_seconds)
        select lpad(i::text, 32, '0')::uuid, 'w', 'h', '{default}', '{}', 10, 3600 from generate_series(1, 300) as i;
        insert into leasehold.job (tenant_id, kind)
        select 't' || i % 200 + 1, 'noop' from generate_series(1, 20000) as i;
        insert into leasehold.job (tenant_id, kind, run_at)
        select 't' || i % 200 + 1, 'noop', clock_timestamp() + interval '1 day' from generate_series(1, 5000) as i;
        do $$ begin
            for n in 1..100 loop
                perform leasehold.job_claim(lpad((n % 50 + 1)::text, 32, '0')::uuid, '{default}', 50);
            end loop;
        end $$;
        -- A heartbeat looks at leases that are a second old, however long this took.
        update leasehold.lease set claimed_at = claimed_at - interval '1 minute';
        create table first_jobs as
        select array_agg(job_id order by job_id) as ids, array_agg(run order by job_id) as runs, 0::bigint as ended
        from (select job_id, run from leasehold.job where state = 'running' order by job_id desc limit 50) as j;
        select count(*) from (
            select array_agg(job_id) as ids, array_agg(run) as runs
            from (
                select job_id, run from leasehold.job where state = 'running' order by job_id limit 2000) as j) as old,
            leasehold.job_settle(ids, runs, array_fill('complete'::text, array[2000]));
        update first_jobs set ended = (select max(job_id) from leasehold.job_history);
        select leasehold.tenant_park('t7', 'test');
        select count(leasehold.enqueue('t' || i + 200, 'noop', unique_key => 'u' || i, idempotency_key => 'i' || i))
        from generate_series(1, 1500) as i;
        select count(leasehold.enqueue('t' || i % 50 + 1, 'noop', sequence_key => 's' || i % 20))
        from generate_series(1, 500) as i;
        update leasehold.worker set heartbeat_at = heartbeat_at - interval '2 hours'
        where worker_id in (lpad('3', 32, '0')::uuid, lpad('4', 32, '0')::uuid);
        select count(leasehold.enqueue('t' || i + 600, 'noop', run_at => clock_timestamp() + interval '1 day'))
        from generate_series(1, 500) as i;
        update leasehold.job set due_at = clock_timestamp() - interval '1 second' where tenant_id > 't600'
            and due_at is not null;
        select count(leasehold.enqueue('t9', 'noop', after => array[20000 + i])) from generate_series(1, 50) as i;
        create table letters as
        select purpose, array_agg(w) as all from leasehold.wake as w where purpose in ('sequence', 'dependency')
        group by purpose;
        """
}

extension PostgresConnection {
    /// Scans of this session so far: of whole tables by their names, of indexes by theirs.
    fileprivate func scanCounts() async throws -> [String: Int64] {
        let rows = try await query(
            sql: """
                select relname::text, pg_stat_get_xact_numscans(oid) from pg_class
                where relnamespace = 'leasehold'::regnamespace and relkind in ('r', 'i')
                """
        )
        return Dictionary(uniqueKeysWithValues: try rows.decode((String, Int64).self).map { ($0, $1) })
    }

    /// Rows and index entries of a table that this session has read so far.
    fileprivate func rowsRead(_ table: String) async throws -> Int64 {
        try await query(
            sql: """
                select coalesce(sum(pg_stat_get_xact_tuples_returned(oid))::bigint, 0) from pg_class
                where oid = ('leasehold.' || $1)::regclass
                    or oid in (select indexrelid from pg_index where indrelid = ('leasehold.' || $1)::regclass)
                """,
            table
        ).only.decode(0)
    }
}

extension QueueWorld {
    fileprivate func run(_ script: String) async throws {
        try await pool.withConnection { try await $0.run(script: script) }
    }

    /// By operation, what it scans and how often, in a session that has planned nothing yet.
    fileprivate func scans() async throws -> [String: [String: Int64]] {
        try await database.pool(size: 1).withConnection { connection in
            var found: [String: [String: Int64]] = [:]
            for operation in PlanOperation.all {
                try await connection.query(sql: "begin")
                if let first = operation.first { try await connection.run(script: first) }
                let before = try await connection.scanCounts()
                try await connection.query(sql: operation.sql)
                let after = try await connection.scanCounts()
                try await connection.query(sql: "rollback")
                for (name, count) in after where count > before[name, default: 0] {
                    // Letters are looked for once more for each transaction that is open on the server.
                    let scans = name == "wake_order" ? 1 : count - before[name, default: 0]
                    found[operation.name, default: [:]][name] = scans
                }
            }
            return found
        }
    }

    fileprivate func expectHot(
        _ table: String,
        updates: Int64,
        _ statement: String,
        _ parameters: (any PostgresEncodable)?...
    ) async throws {
        let counted = """
            select pg_stat_get_xact_tuples_updated(oid), pg_stat_get_xact_tuples_hot_updated(oid)
            from pg_class where oid = 'leasehold.\(table)'::regclass
            """
        try await pool.withConnection { connection in
            try await connection.query(sql: "begin")
            let before = try await connection.query(sql: counted).only.decode((Int64, Int64).self)
            try await connection.query(PostgresCall(SQLFile(name: "ad_hoc", text: statement), parameters: parameters))
            let after = try await connection.query(sql: counted).only.decode((Int64, Int64).self)
            try await connection.query(sql: "rollback")
            #expect(after.0 - before.0 == updates)
            #expect(after.1 - before.1 == updates, "updates of \(table) that wrote no index entry")
        }
    }
}
