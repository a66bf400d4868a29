import Foundation
import LeaseholdCore
import Postgres

/// What the demo shows at the end: counted by the database, with the source's records and Pitchly's
/// ledger loaded beside the mirror, so that one query compares them.
struct DemoReport {
    let tables: [(title: String, table: Table)]
    /// What did not hold; empty is success.
    let failures: [String]

    static func make(
        pool: PostgresPool,
        pitchly: DemoPitchly,
        tenants: [DemoTenant],
        expectedJobs: Int
    ) async throws -> DemoReport {
        try await pool.withConnection { connection in
            try await load(pitchly, tenants, into: connection)
            let outcomes = try await connection.query(sql: outcomesSQL)
            let perTenant = try await connection.query(sql: tenantsSQL)
            let totals = try await connection.query(sql: totalsSQL).only
            return DemoReport(
                tables: [
                    ("Jobs by outcome", try outcomes.demoTable()), ("Tenants", try perTenant.demoTable()),
                ],
                failures: try failures(totals, expectedJobs: expectedJobs)
            )
        }
    }

    private static func load(
        _ pitchly: DemoPitchly,
        _ tenants: [DemoTenant],
        into connection: PostgresConnection
    ) async throws {
        try await connection.run(
            script: """
                create temp table source_record (tenant_id text, table_id text, record jsonb);
                create temp table source_table (tenant_id text, table_id text);
                create temp table ledger (tenant_id text primary key, exchanges integer, presented_twice integer);
                """
        )
        for tenant in tenants {
            for table in tenant.organization.tables {
                let lines = String(decoding: try await pitchly.records(of: table.id), as: UTF8.self)
                    .split(separator: "\n").map(String.init)
                try await connection.query(
                    sql: "insert into source_table values ($1, $2)",
                    tenant.id.rawValue,
                    table.id
                )
                try await connection.query(
                    sql: "insert into source_record select $1, $2, line::jsonb from unnest($3::text[]) as line",
                    tenant.id.rawValue,
                    table.id,
                    lines
                )
            }
        }
        let ledger = try await pitchly.ledger()
        for tenant in tenants {
            let entry = ledger.organizations.first { $0.id == tenant.organization.id }
            try await connection.query(
                sql: "insert into ledger values ($1, $2, $3)",
                tenant.id.rawValue,
                Int32(entry?.succeeded.values.reduce(0, +) ?? 0),
                Int32(entry?.presentedTwice ?? 0)
            )
        }
    }

    private static func failures(_ totals: PostgresRow, expectedJobs: Int) throws -> [String] {
        let tablesDiffering = try totals.decode("tables_differing", as: Int64.self)
        let presentedTwice = try totals.decode("presented_twice", as: Int64.self)
        let notRotated = try totals.decode("not_rotated", as: Int64.self)
        let live = try totals.decode("live_jobs", as: Int64.self)
        let notCompleted = try totals.decode("not_completed", as: Int64.self)
        let enqueued = try totals.decode("ended_syncs", as: Int64.self)
        let rules: [(Bool, String)] = [
            (tablesDiffering == 0, "\(tablesDiffering) mirrored tables differ from their source"),
            (presentedTwice == 0, "\(presentedTwice) refresh tokens were presented twice"),
            (notRotated == 0, "\(notRotated) tenants' tokens did not rotate"),
            (live == 0, "\(live) jobs have not ended"),
            (notCompleted == 0, "\(notCompleted) jobs ended otherwise than completed"),
            (enqueued == Int64(expectedJobs), "\(enqueued) of \(expectedJobs) enqueued syncs are in the history"),
        ]
        return rules.filter { !$0.0 }.map(\.1)
    }

    private static let outcomesSQL = """
        select kind, outcome, count(*)::text as jobs,
            sum(case when attempt > 1 then 1 else 0 end)::text as "more than one attempt",
            round((percentile_cont(0.5) within group (order by run_seconds))::numeric * 1000)::text as "median run, ms"
        from leasehold.job_history group by kind, outcome order by kind, outcome
        """

    private static let comparisonSQL = """
        with source as (
            select tenant_id, table_id, record->>'id' as record_id,
                (select coalesce(jsonb_object_agg(field.key, field.value->'value'), '{}')
                 from jsonb_each(record->'fields') as field) as fields
            from source_record
        ), compared as (
            select tenant_id, table_id,
                count(*) filter (where source.fields is distinct from mirror.fields) as differing,
                count(mirror.record_id) as mirrored
            from source full join (select tenant_id, table_id, record_id, fields from leasehold.mirror_record) as mirror
                using (tenant_id, table_id, record_id)
            group by tenant_id, table_id
        ), per_table as (
            select tenant_id, count(*) as tables, count(*) filter (where coalesce(differing, 0) = 0) as equal,
                sum(coalesce(mirrored, 0)) as records
            from source_table left join compared using (tenant_id, table_id)
            group by tenant_id
        )
        """

    private static let tenantsSQL =
        comparisonSQL + """
            , waits as (
                select tenant_id, count(*) as jobs,
                    percentile_cont(0.5) within group (order by extract(epoch from first_claimed_at - run_at)) as median,
                    max(extract(epoch from first_claimed_at - run_at)) as longest
                from leasehold.job_history group by tenant_id
            )
            select per_table.tenant_id as tenant, jobs::text, round(median::numeric, 2)::text as "median wait, s",
                round(longest::numeric, 2)::text as "longest wait, s", exchanges::text as rotations,
                presented_twice::text as "presented twice", records::text,
                equal || ' of ' || tables || case when equal = tables then ' equal' else ' EQUAL' end as "tables against source"
            from per_table join ledger using (tenant_id) left join waits using (tenant_id)
            order by per_table.tenant_id
            """

    private static let totalsSQL =
        comparisonSQL + """
            select (select coalesce(sum(tables - equal), 0) from per_table)::bigint as tables_differing,
                (select coalesce(sum(presented_twice), 0) from ledger)::bigint as presented_twice,
                (select count(*) from ledger where exchanges < 2)::bigint as not_rotated,
                (select count(*) from leasehold.job)::bigint as live_jobs,
                (select count(*) from leasehold.job_history where outcome <> 'completed')::bigint as not_completed,
                (select count(*) from leasehold.job_history where kind = 'pitchly.sync')::bigint as ended_syncs
            """
}

/// One tenant of the demo and the organisation it stands for.
struct DemoTenant: Sendable {
    let id: TenantID
    let organization: DemoPitchly.Organization
}

extension PostgresRows {
    /// Rows of text as they are.
    fileprivate func demoTable() throws -> Table {
        var table = Table(columns: columns)
        for row in self { table.add(try columns.indices.map { try row.decode($0, as: String?.self) }) }
        return table
    }
}
