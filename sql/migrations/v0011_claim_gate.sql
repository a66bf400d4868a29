-- The claim, part 4: gates. What waits for its turn of a sequence key, or for other jobs to end, is
-- parked, outside every lane, until a letter has it looked at.

-- The first of a sequence key gets the turn if nobody has it.
create function leasehold.claim_sequences(letters leasehold.wake[]) returns void
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set enable_material = off set jit = off
set plan_cache_mode = force_generic_plan as $$
declare
    asked record;
    decided boolean;
    first_id bigint;
    admitted leasehold.job;
begin
    for asked in
        select distinct hashtext(l.tenant_id || E'\n' || l.sequence_key) as lock, l.tenant_id, l.sequence_key
        from unnest(letters) as l
    loop
        -- Held to the end of the claim, so that whoever looks next sees who got the turn. Not waited
        -- for: this claim may hold others.
        decided := pg_try_advisory_xact_lock(hashtext('leasehold.sequence'), asked.lock);
        if decided then
            perform from leasehold.job
            where job.tenant_id = asked.tenant_id and job.sequence_key = asked.sequence_key
                and job.sequence_live limit 1;
            continue when found;
            select next.job_id into first_id from leasehold.job as next
            where next.tenant_id = asked.tenant_id and next.sequence_key = asked.sequence_key
                and next.park_reason = 'sequence'
            order by next.job_id limit 1;
            continue when not found;
            -- The first and no other; who holds it now may be ending it.
            perform from leasehold.job
            where job.job_id = first_id and job.park_reason = 'sequence' for update skip locked;
            decided := found;
        end if;
        if not decided then
            insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, sequence_key, ring)
            select distinct on (l.queue) l.tenant_id, l.queue, l.lane_kind, 'sequence', l.sequence_key, true
            from unnest(letters) as l
            where l.tenant_id = asked.tenant_id and l.sequence_key = asked.sequence_key;
            continue;
        end if;
        update leasehold.job
        set state = 'ready', park_reason = null, sequence_live = true,
            place = nextval('leasehold.job_place_seq'), ready_at = clock_timestamp(),
            waited_turn = waited_turn + date_part('epoch', clock_timestamp() - parked_at),
            parked_at = null
        where job.job_id = first_id
        returning job.* into admitted;
        perform leasehold.wake_job(admitted);
    end loop;
end $$;

comment on function leasehold.claim_sequences is 'Admits the next job of sequence keys whose turn is free';

-- Ends a job that is not running, and tells who waited for it.
create function leasehold.job_end(
    ending bigint, outcome text, label text, error text
) returns boolean
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    ended_at constant timestamptz := clock_timestamp();
    gone leasehold.job;
begin
    delete from leasehold.job where job.job_id = ending and job.claimed_by is null
    returning job.* into gone;
    if not found then
        return false;
    end if;
    if to_regclass('leasehold.job_history_' || to_char(ended_at at time zone 'UTC', 'YYYYMMDD')) is null then
        perform leasehold.history_prepare((ended_at at time zone 'UTC')::date, 3);
    end if;
    insert into leasehold.job_history (job_id, ended_at, created_at, run_at, first_claimed_at,
        claimed_at, run, waited_turn, waited_limit, waited_worker, waited_parked, timeout_seconds,
        priority, attempt, max_attempts, kills, tenant_id, queue, kind, outcome, args, unique_key,
        sequence_key, trace_context, last_error_label, last_error, progress)
    values (gone.job_id, ended_at, gone.created_at, gone.run_at, gone.first_claimed_at,
        gone.claimed_at, gone.run, gone.waited_turn, gone.waited_limit, gone.waited_worker,
        gone.waited_parked, gone.timeout_seconds, gone.priority, gone.attempt, gone.max_attempts,
        gone.kills, gone.tenant_id, gone.queue, gone.kind, outcome, gone.args, gone.unique_key,
        gone.sequence_key, gone.trace_context, label, error, gone.progress);
    delete from leasehold.job_dependency where job_dependency.job_id = gone.job_id;
    delete from leasehold.job_cancel where job_cancel.job_id = gone.job_id;
    insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, first_job_id, sequence_key, ring)
    select gone.tenant_id, gone.queue, gone.lane_kind, 'sequence', 0, gone.sequence_key, true
    where gone.sequence_key is not null
    union all
    select waiting.tenant_id, waiting.queue, '', 'dependency', waiting.job_id, null, true
    from leasehold.job_dependency as d join leasehold.job as waiting using (job_id)
    where d.needs_job_id = gone.job_id;
    return true;
end $$;

comment on function leasehold.job_end is 'Ends a job that is not running; false if it is running or gone';

-- Looks at jobs that wait for others: lets them go, ends them, or leaves them. A needed job that is
-- being settled this instant cannot be locked; then the letter is written again.
create function leasehold.claim_dependents(letters leasehold.wake[]) returns void
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    asked record;
    needed record;
    waits boolean;
    unsure boolean;
    failed bigint;
    freed leasehold.job;
begin
    for asked in select distinct l.first_job_id, l.tenant_id, l.queue from unnest(letters) as l order by 1 loop
        perform from leasehold.job
        where job.job_id = asked.first_job_id and job.park_reason = 'dependency' for update skip locked;
        continue when not found;
        waits := false;
        unsure := false;
        failed := null;
        for needed in
            select d.needs_job_id, d.on_failure,
                exists (select from leasehold.job where job.job_id = d.needs_job_id) as live,
                (select h.outcome from leasehold.job_history as h where h.job_id = d.needs_job_id
                    order by h.ended_at desc limit 1) as outcome
            from leasehold.job_dependency as d where d.job_id = asked.first_job_id
            order by d.needs_job_id
        loop
            if needed.live then
                waits := true;
                perform from leasehold.job where job.job_id = needed.needs_job_id
                for key share skip locked;
                unsure := unsure or not found;
            elsif needed.outcome in ('discarded', 'cancelled') and needed.on_failure = 'cancel' then
                failed := needed.needs_job_id;
            end if;
        end loop;
        if failed is not null then
            perform leasehold.job_end(asked.first_job_id, 'cancelled', 'dependency_failed',
                format('job %s, which this one needs, did not complete', failed));
        elsif unsure then
            insert into leasehold.wake (tenant_id, queue, purpose, first_job_id, ring)
            values (asked.tenant_id, asked.queue, 'dependency', asked.first_job_id, true);
        elsif not waits then
            delete from leasehold.job_dependency where job_id = asked.first_job_id;
            freed := leasehold.job_release(asked.first_job_id);
        end if;
    end loop;
end $$;

comment on function leasehold.claim_dependents is 'Lets jobs go whose needed jobs have ended, or ends them if one failed';

-- Puts a parked job where it belongs once its reason is gone: behind its sequence key, to its time,
-- or into its lane.
create function leasehold.job_release(released bigint) returns leasehold.job
language plpgsql
set search_path = pg_catalog set enable_seqscan = off set enable_bitmapscan = off
set enable_hashjoin = off set enable_mergejoin = off set jit = off as $$
declare
    now_ready leasehold.job;
begin
    update leasehold.job
    set state = s.state, due_at = case s.state when 'scheduled' then job.run_at end,
        park_reason = case s.state when 'parked' then 'sequence' end,
        place = case s.state when 'ready' then nextval('leasehold.job_place_seq') end,
        ready_at = greatest(job.run_at, clock_timestamp()),
        waited_parked = waited_parked + date_part('epoch', clock_timestamp() - parked_at),
        parked_at = case s.state when 'parked' then clock_timestamp() end
    from (
        select case when j.run_at > clock_timestamp() then 'scheduled'
            when j.sequence_key is not null and not j.sequence_live then 'parked'
            else 'ready' end as state
        from leasehold.job as j where j.job_id = released) as s
    where job.job_id = released and job.state = 'parked'
    returning job.* into now_ready;
    if now_ready.state = 'ready' then
        perform leasehold.wake_job(now_ready);
    elsif now_ready.park_reason = 'sequence' then
        insert into leasehold.wake (tenant_id, queue, lane_kind, purpose, sequence_key, ring)
        values (now_ready.tenant_id, now_ready.queue, now_ready.lane_kind, 'sequence',
            now_ready.sequence_key, true);
    end if;
    return now_ready;
end $$;

comment on function leasehold.job_release is 'Unparks one job';
