import Foundation
import Postgres
import TestSupport
import Testing

/// The views of `leasehold_dashboard` show what is there, and say what they show.
@Suite struct DashboardViewTests {
    private func withWorld(_ body: (OperationsWorld) async throws -> Void) async throws {
        try await withDatabase { try await body(OperationsWorld($0)) }
    }

    @Test func everyViewAndEveryColumnIsExplained() async throws {
        try await withWorld { world in
            let bare = try await world.rows(
                """
                select c.relname || coalesce('.' || a.attname, '') from pg_class as c
                    left join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0
                where c.relnamespace = 'leasehold_dashboard'::regnamespace and c.relkind = 'v'
                    and (obj_description(c.oid, 'pg_class') is null or col_description(c.oid, a.attnum) is null)
                """
            ).map { try $0.decode(0, as: String.self) }
            #expect(bare == [])
            #expect(
                try await world.value(
                    "select count(*) from pg_views where schemaname = 'leasehold_dashboard'",
                    as: Int64.self
                ) >= 16
            )
        }
    }

    @Test func aQueueShowsItsJobsByState() async throws {
        try await withWorld { world in
            let queues = try await world.lines(
                "queue, ready, running, scheduled, parked, workers, worker_places, cardinality(estimated)",
                "from leasehold_dashboard.queue_health order by queue"
            )
            #expect(queues == ["default 1 1 0 1 1 10 0", "later 0 0 1 0 0 0 0"])
            let rate: Double = try await world.value(
                "select completed_per_second * 300 from leasehold_dashboard.queue_health where queue = 'default'"
            )
            #expect(abs(rate - 1) < 0.001)
        }
    }

    @Test func theOverviewAddsUp() async throws {
        try await withWorld { world in
            let row = try await world.rows("select * from leasehold_dashboard.overview").only
            for (column, expected) in [
                ("tenants", 3), ("ready", 1), ("running", 1), ("scheduled", 1), ("parked", 1), ("workers", 1),
                ("workers_silent", 0), ("tokens_needing_authorization", 1), ("tokens_troubled", 1),
                ("providers_closed", 0),
            ] as [(String, Int64)] {
                #expect(try row.decode(column, as: Int64.self) == expected, "\(column)")
            }
        }
    }

    @Test func aTenantShowsItsShareItsWaitAndItsToken() async throws {
        try await withWorld { world in
            let tenants = try await world.lines(
                "tenant_id, waiting, running, parked, is_held, coalesce(token_state, '-'), ended_runs",
                "from leasehold_dashboard.tenant_health order by tenant_id"
            )
            #expect(tenants == ["a 1 1 0 f active 2", "b 0 0 0 f - 0", "c 0 0 1 t needs_authorization 0"])
            // Alone with all that ran, and alone with a backlog.
            let share = try await world.rows(
                "select share_received, share_due from leasehold_dashboard.tenant_health where tenant_id = 'a'"
            ).only.decode((Double?, Double?).self)
            #expect(share.1 == 1)
            let received = try #require(share.0)
            #expect(abs(received - 1) < 0.05)
        }
    }

    @Test func jobsStandInTheViewsOfTheirState() async throws {
        try await withWorld { world in
            for (view, count) in [
                ("job_recent", 6), ("job_running", 1), ("job_scheduled", 1), ("job_parked", 1),
                ("job_of_tenant where tenant_id = 'a'", 4), ("tenant_pressure", 1),
            ] as [(String, Int64)] {
                #expect(
                    try await world.value("select count(*) from leasehold_dashboard.\(view)", as: Int64.self) == count,
                    "\(view)"
                )
            }
            let running: String = try await world.value("select worker_id::text from leasehold_dashboard.job_running")
            #expect(running == OperationsWorld.worker)
        }
    }

    @Test func errorsAreGroupedAndMinutesAreCounted() async throws {
        try await withWorld { world async throws in
            #expect(
                try await world.lines(
                    "error_label, error, attempts, jobs, tenants",
                    "from leasehold_dashboard.job_errors"
                )
                    == ["boom went off at 17 1 1 1"]
            )
            #expect(
                try await world.lines(
                    "sum(completed), sum(discarded), sum(failed_attempts), bool_or(is_estimate)",
                    "from leasehold_dashboard.throughput_by_minute where queue = 'default'"
                ) == ["1 1 1 f"]
            )
        }
    }

    @Test func workersSyncsAndExchangesAreShown() async throws {
        try await withWorld { world async throws in
            #expect(
                try await world.lines("state, running, concurrency", "from leasehold_dashboard.worker_health")
                    == ["working 1 10"]
            )
            #expect(
                try await world.lines(
                    "reading_share, last_state",
                    "from leasehold_dashboard.sync_status where tenant_id = 'a' and table_id = 'tbl1'"
                ) == ["0.25 merged"]
            )
            for (view, count) in [("sync_runs", 3), ("exchange_log", 1), ("token_health", 2), ("provider_health", 1)] {
                #expect(
                    try await world.value("select count(*) from leasehold_dashboard.\(view)", as: Int64.self)
                        == Int64(count),
                    "\(view)"
                )
            }
        }
    }

    @Test func aSilentWorkerIsCalledSilent() async throws {
        try await withWorld { world in
            _ = try await world.rows(
                "update leasehold.worker set heartbeat_at = clock_timestamp() - interval '2 hours'"
            )
            #expect(try await world.value("select state from leasehold_dashboard.worker_health") == "silent")
            #expect(
                try await world.value("select workers_silent from leasehold_dashboard.overview", as: Int64.self) == 1
            )
        }
    }

    @Test func noViewShowsAToken() async throws {
        try await withWorld { world in
            let secret = try await world.rows(
                """
                select table_name || '.' || column_name from information_schema.columns
                where table_schema = 'leasehold_dashboard' and data_type = 'bytea'
                """
            )
            #expect(secret.isEmpty)
        }
    }
}
