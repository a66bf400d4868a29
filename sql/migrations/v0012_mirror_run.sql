-- The life of a run: asking for one, opening, starting over, giving up.

-- The run of a table that a job goes on with, or a new one. Locks the table's row, so that two
-- claims decide one after the other.
--
-- A new run is incremental if the caller allows it and a full run is not due; a run under way stays
-- what it is, unless the caller cannot go on with it.
create function leasehold.sync_open(
    p_tenant_id text, p_table_id text, p_job_id bigint, p_job_run bigint, p_dialect text,
    p_allows_incremental boolean, p_full_every interval, p_field_changes jsonb, p_source_time timestamptz
) returns table (
    outcome text, sync_id bigint, mode text, since timestamptz, page_cursor text, pages integer, rows bigint,
    owner_job_id bigint
)
language plpgsql
set search_path = leasehold, pg_temp set jit = off
as $$
declare
    target mirror_table;
    run sync_run;
    staged bigint;
begin
    select t.* into target from mirror_table t
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id
    for no key update;
    if not found then
        raise exception 'no mirrored table % of tenant %', p_table_id, p_tenant_id
            using errcode = 'no_data_found', hint = 'enqueue a pitchly.sync for the tenant first';
    end if;
    select r.* into run from sync_run r
    where r.tenant_id = p_tenant_id and r.table_id = p_table_id and r.state = 'reading'
    for update;

    outcome := case
        when run.sync_id is null then 'new'
        when run.job_id = p_job_id and run.job_run > p_job_run then 'lost'
        when run.job_id <> p_job_id
            and exists (select 1 from job j where j.job_id = run.job_id and j.state = 'running') then 'busy'
        when run.dialect <> p_dialect or (run.mode = 'incremental' and not p_allows_incremental) then 'new'
        else 'resumed'
    end;
    if outcome in ('lost', 'busy') then
        sync_id := run.sync_id;
        owner_job_id := run.job_id;
        return next;
        return;
    end if;

    if outcome = 'new' then
        perform sync_abandon(p_tenant_id, run.sync_id, 'a run of another kind was asked for');
        insert into sync_run (tenant_id, table_id, job_id, job_run, dialect, mode, since, source_time)
        select p_tenant_id, p_table_id, p_job_id, p_job_run, p_dialect,
            case when incremental then 'incremental' else 'full' end,
            case when incremental then target.high_mark end, p_source_time
        from (
            select p_allows_incremental and target.high_mark is not null
                and target.full_synced_at > clock_timestamp() - p_full_every as incremental
        ) as choice
        returning * into run;
    else
        update sync_run r
        set job_id = p_job_id, job_run = p_job_run, takeovers = r.takeovers + 1
        where r.tenant_id = p_tenant_id and r.sync_id = run.sync_id;
        select count(*) into staged from mirror_stage s where s.sync_id = run.sync_id;
        if staged <> run.rows then
            outcome := 'restarted';
            perform sync_restart(p_tenant_id, run.sync_id, p_job_id, p_job_run);
            run.cursor := null;
            run.pages := 0;
            run.rows := 0;
        end if;
    end if;
    update sync_run r set field_changes = r.field_changes || p_field_changes
    where r.tenant_id = p_tenant_id and r.sync_id = run.sync_id and p_field_changes <> '[]';

    sync_id := run.sync_id;
    mode := run.mode;
    since := run.since;
    page_cursor := run.cursor;
    pages := run.pages;
    rows := run.rows;
    owner_job_id := p_job_id;
    return next;
end
$$;

comment on function leasehold.sync_open is 'outcome: new, resumed, restarted (staged rows were lost), busy (owner_job_id is running it), lost (a later claim of this job has it)';

create function leasehold.sync_abandon(p_tenant_id text, p_sync_id bigint, p_reason text) returns void
language sql
set search_path = leasehold, pg_temp
as $$
    delete from mirror_stage where sync_id = p_sync_id;
    update sync_run set state = 'abandoned', reason = p_reason, finished_at = clock_timestamp()
    where tenant_id = p_tenant_id and sync_id = p_sync_id and state = 'reading';
$$;

comment on function leasehold.sync_abandon is 'Gives a run up with what it has read; its claim, if there is one, finds it lost';

-- Back to the first page. False: the caller no longer holds the run.
create function leasehold.sync_restart(p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint)
returns boolean
language plpgsql
set search_path = leasehold, pg_temp set jit = off
as $$
begin
    update sync_run r
    set cursor = null, pages = 0, rows = 0, repairs = 0, restarts = r.restarts + 1, advanced_at = clock_timestamp()
    where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id
        and r.job_id = p_job_id and r.job_run = p_job_run and r.state = 'reading';
    if not found then
        return false;
    end if;
    delete from mirror_stage s where s.sync_id = p_sync_id;
    return true;
end
$$;

comment on function leasehold.sync_restart is 'Forgets the pages of a run, so that it reads the table from the beginning';

-- Asks for a sync of one table, from any language. While one runs, the request is remembered and
-- runs after it, once.
create function leasehold.sync_request(p_tenant_id text, p_table_id text, p_queue text default 'default')
returns bigint
language plpgsql
set search_path = leasehold, pg_temp set jit = off
as $$
begin
    if not exists (select from mirror_table t where t.tenant_id = p_tenant_id and t.table_id = p_table_id) then
        raise exception 'no mirrored table % of tenant %', p_table_id, p_tenant_id
            using errcode = 'no_data_found', hint = 'leasehold enqueue ' || p_tenant_id || ' pitchly.sync';
    end if;
    return enqueue(
        tenant => p_tenant_id, kind => 'pitchly.sync_table', args => jsonb_build_object('table', p_table_id),
        queue => p_queue, unique_key => p_table_id, on_duplicate => 'reschedule');
end
$$;

comment on function leasehold.sync_request is 'Returns the job''s id; the same as before if one is waiting or running';

-- Lets the next sync of a table delete whatever share of its records, once, and asks for it.
create function leasehold.sync_confirm(p_tenant_id text, p_table_id text) returns bigint
language plpgsql
set search_path = leasehold, pg_temp set jit = off
as $$
begin
    update mirror_table t set deletion_confirmed = true, updated_at = clock_timestamp()
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
    return sync_request(p_tenant_id, p_table_id);
end
$$;

comment on function leasehold.sync_confirm is 'The answer to a suspicious run, after somebody has looked at Pitchly';
