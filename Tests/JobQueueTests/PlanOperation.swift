/// Something that workers and services do while they work, as one statement on the tables that
/// ``PlanTests`` fills. `first_jobs` holds 50 running jobs, `letters` those that gates read.
struct PlanOperation: Sendable {
    let name: String
    let sql: String
    /// Runs before, in the same transaction, and is not counted.
    let first: String?

    private init(_ name: String, after first: String? = nil, _ sql: String) {
        (self.name, self.first, self.sql) = (name, first, sql)
    }

    private static let who = "lpad('1', 32, '0')::uuid"

    static let all = settles + claims + partsOfAClaim + enqueues + workers + steering

    private static let settles: [PlanOperation] =
        ["complete", "retry", "snooze", "park", "hand_back", "discard", "cancel", "kill"].map { outcome in
            PlanOperation(
                outcome,
                """
                select count(*) from first_jobs,
                    leasehold.job_settle(ids, runs, array_fill('\(outcome)'::text, array[50]))
                """
            )
        } + [
            PlanOperation(
                "complete while others depend on it and cancels are asked for",
                after: """
                    insert into leasehold.job_cancel (job_id, reason) select ids[1], 'test' from first_jobs;
                    insert into leasehold.job_dependency (job_id, needs_job_id)
                    select job_id, ids[2] from first_jobs, leasehold.job where tenant_id = 't9' and state = 'parked'
                    limit 1;
                    """,
                """
                select count(*) from first_jobs,
                    leasehold.job_settle(ids, runs, array_fill('complete'::text, array[50]))
                """
            )
        ]

    private static let claims: [PlanOperation] = [
        PlanOperation("claim 100", "select count(*) from leasehold.job_claim(\(who), '{default}', 100)"),
        PlanOperation("claim 1", "select count(*) from leasehold.job_claim(\(who), '{default}', 1)"),
        PlanOperation(
            "claim of two queues",
            "select count(*) from leasehold.job_claim(\(who), '{default,other}', 100)"
        ),
        PlanOperation(
            "claim after a claim",
            after: "select count(*) from leasehold.job_claim(\(who), '{default}', 100)",
            "select count(*) from leasehold.job_claim(\(who), '{default}', 100)"
        ),
        PlanOperation(
            "claim of single jobs",
            after: """
                update leasehold.lane set state = 'idle';
                select count(leasehold.enqueue('t' || i + 1900, 'noop')) from generate_series(1, 20) as i;
                """,
            "select count(*) from leasehold.job_claim(\(who), '{default}', 100)"
        ),
        PlanOperation(
            "claim when woken",
            after: """
                update leasehold.lane set state = 'idle', look_at = null;
                delete from leasehold.wake;
                delete from leasehold.job where due_at < clock_timestamp();
                select count(leasehold.enqueue('t' || i + 1900, 'noop')) from generate_series(1, 20) as i;
                """,
            "select count(*) from leasehold.claim_woken(\(who), '{default}', 100)"
        ),
        PlanOperation(
            "claim with limits of a tenant, a queue and a kind",
            after: """
                insert into leasehold.kind (kind, max_running) values ('limited', 5);
                insert into leasehold.queue (queue, max_running, rate_per_second) values ('default', 5000, 1000);
                update leasehold.tenant set max_running = 100, rate_per_second = 50
                where tenant_id in ('t1', 't2', 't3');
                select count(leasehold.enqueue('t' || i, 'limited')) from generate_series(1, 20) as i;
                """,
            "select count(*) from leasehold.job_claim(\(who), '{default}', 100)"
        ),
    ]

    private static let lanes = """
        leasehold.lanes_lock(array[row('default', '', false, false)::leasehold.claim_scope], '{default}',
            '-infinity', '{}', 100, 13)
        """

    private static let partsOfAClaim: [PlanOperation] = [
        PlanOperation("due jobs", "select leasehold.claim_due('-infinity', 1000)"),
        PlanOperation("due jobs of late", "select leasehold.claim_due(clock_timestamp() - interval '1 hour', 100)"),
        PlanOperation(
            "sequences",
            "select leasehold.claim_sequences(letters.all) from letters where purpose = 'sequence'"
        ),
        PlanOperation(
            "dependents",
            "select leasehold.claim_dependents(letters.all) from letters where purpose = 'dependency'"
        ),
        PlanOperation("lanes locked", "select \(lanes)"),
        PlanOperation(
            "lanes taken",
            "select count(*) from leasehold.lanes_take(\(who), \(lanes), false, '-infinity')"
        ),
        PlanOperation(
            "lanes taken while a kind is apart",
            after: "insert into leasehold.kind (kind, max_running) values ('limited', 5)",
            "select count(*) from leasehold.lanes_take(\(who), \(lanes), true, '-infinity')"
        ),
        PlanOperation(
            "lanes taken past what others hold",
            "select count(*) from leasehold.lanes_take_past(\(who), \(lanes), true, '-infinity')"
        ),
        PlanOperation(
            "jobs of a kind that has just become apart",
            after: """
                insert into leasehold.kind (kind, max_running) values ('noop', 5);
                update leasehold.job set lane_kind = '' where tenant_id in ('t1', 't2', 't3');
                """,
            "select leasehold.lanes_sort(\(lanes))"
        ),
        PlanOperation(
            "jobs of a kind that is apart no more",
            after: "update leasehold.job set lane_kind = 'noop' where tenant_id = 't1'",
            """
            select leasehold.arrivals_sort(array[
                row('t1', 'default', 'noop', 5, 1, 0, 0, 0, 0, 0, false)::leasehold.arrival])
            """
        ),
    ]

    private static let enqueues: [PlanOperation] = [
        PlanOperation("enqueue", "select leasehold.enqueue('t1', 'noop')"),
        PlanOperation(
            "enqueue for later",
            "select leasehold.enqueue('t1', 'noop', run_at => clock_timestamp() + interval '1 hour')"
        ),
        PlanOperation("enqueue with a sequence key", "select leasehold.enqueue('t1', 'noop', sequence_key => 's1')"),
        PlanOperation("enqueue after others", "select leasehold.enqueue('t1', 'noop', after => array[20001, 20002])"),
        PlanOperation(
            "enqueue with keys",
            "select leasehold.enqueue('t1', 'noop', unique_key => 'x', idempotency_key => 'y')"
        ),
        PlanOperation(
            "enqueue a duplicate",
            "select leasehold.enqueue('t201', 'noop', unique_key => 'u1', on_duplicate => 'replace')"
        ),
        PlanOperation(
            "enqueue many",
            """
            select count(*) from leasehold.enqueue_many((
                select jsonb_agg(jsonb_build_object('tenant', 't' || i, 'kind', 'noop'))
                from generate_series(1, 100) as i))
            """
        ),
        PlanOperation(
            "enqueue many with keys",
            """
            select count(*) from leasehold.enqueue_many((select jsonb_agg(jsonb_build_object('tenant', 't' || i,
                'kind', 'noop', 'unique_key', 'n' || i, 'idempotency_key', 'k' || i))
                from generate_series(1, 100) as i))
            """
        ),
        PlanOperation(
            "insert, of which some are for later and some of a kind that is apart",
            after: "insert into leasehold.kind (kind, max_running) values ('limited', 5)",
            """
            insert into leasehold.job (tenant_id, kind, run_at)
            select 't' || i, case when i % 2 = 0 then 'limited' else 'noop' end,
                clock_timestamp() + i % 3 * interval '1 day' from generate_series(1, 100) as i
            """
        ),
    ]

    private static let workers: [PlanOperation] = [
        PlanOperation("heartbeat", "select leasehold.worker_heartbeat(\(who))"),
        PlanOperation(
            "heartbeat with the oldest run",
            "select leasehold.worker_heartbeat(\(who), clock_timestamp())"
        ),
        PlanOperation("rescue", "select count(*) from leasehold.worker_rescue()"),
        PlanOperation("outlook", "select leasehold.worker_outlook()"),
        PlanOperation("sleep", "select leasehold.worker_sleep(\(who), 10)"),
        PlanOperation(
            "wake",
            after: "select leasehold.worker_sleep(\(who), 10)",
            "select leasehold.worker_wake(\(who))"
        ),
        PlanOperation("running jobs", "select leasehold.worker_jobs(\(who))"),
        PlanOperation("unregister", "select leasehold.worker_unregister(lpad('2', 32, '0')::uuid)"),
        PlanOperation("reconcile", "select sum(found_count) from leasehold.reconcile('0')"),
    ]

    private static let steering: [PlanOperation] = [
        PlanOperation("cancel a waiting job", "select leasehold.job_cancel(20000)"),
        PlanOperation("put off", "select leasehold.job_reschedule(20000, clock_timestamp() + interval '1 hour')"),
        PlanOperation("discard a waiting job", "select leasehold.job_discard(20000)"),
        PlanOperation("retry an ended job", "select leasehold.job_retry(ended) from first_jobs"),
        PlanOperation("park a tenant", "select leasehold.tenant_park('t9', 'test')"),
        PlanOperation("unpark a tenant", "select leasehold.tenant_unpark('t7')"),
        PlanOperation("pause a tenant", "update leasehold.tenant set state = 'paused' where tenant_id = 't9'"),
    ]
}
