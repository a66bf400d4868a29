-- What a run does to its mirror, and how others follow it.

-- The fields of a table as the API shows them now. What changes the cells of records that were not
-- edited themselves asks for a full run, and makes a run under way worthless.
create function leasehold.mirror_field_put(p_tenant_id text, p_table_id text, p_fields jsonb)
returns jsonb
language plpgsql
set search_path = leasehold, pg_temp set jit = off
as $$
declare
    changes jsonb;
begin
    perform 1 from mirror_table t
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id
    for no key update;
    with shown as (
        select distinct on (field ->> 'id') field ->> 'id' as id, field ->> 'name' as name, field ->> 'type' as type,
            place::integer as place
        from jsonb_array_elements(p_fields) with ordinality as element (field, place)
        order by field ->> 'id', place
    ), known as (
        select f.field_id, f.name, f.type, f.gone_at from mirror_field f
        where f.tenant_id = p_tenant_id and f.table_id = p_table_id
    ), put as (
        insert into mirror_field as target (tenant_id, table_id, field_id, name, type, place)
        select p_tenant_id, p_table_id, shown.id, shown.name, shown.type, shown.place from shown
        on conflict (tenant_id, table_id, field_id) do update
            set name = excluded.name, type = excluded.type, place = excluded.place, gone_at = null,
                previous_type = case when target.type <> excluded.type then target.type else target.previous_type end,
                type_changed_at = case
                    when target.type <> excluded.type then clock_timestamp() else target.type_changed_at
                end,
                updated_at = clock_timestamp()
            where (target.name, target.type, target.place, target.gone_at)
                is distinct from (excluded.name, excluded.type, excluded.place, null::timestamptz)
    ), gone as (
        update mirror_field as target
        set gone_at = clock_timestamp(), updated_at = clock_timestamp()
        where target.tenant_id = p_tenant_id and target.table_id = p_table_id and target.gone_at is null
            and not exists (select from shown where shown.id = target.field_id)
    ), change as (
        select coalesce(shown.id, known.field_id) as field_id, coalesce(shown.name, known.name) as name, what.change,
            case what.change when 'renamed' then known.name when 'retyped' then known.type end as before,
            case what.change when 'renamed' then shown.name when 'retyped' then shown.type end as after
        from shown
        full join known on known.field_id = shown.id
        cross join lateral (
            values
                ('added', known.field_id is null),
                ('returned', shown.id is not null and known.gone_at is not null),
                ('renamed', shown.name <> known.name),
                ('retyped', shown.type <> known.type),
                ('removed', shown.id is null and known.gone_at is null)
        ) as what (change, applies)
        where what.applies
    )
    select coalesce(jsonb_agg(jsonb_strip_nulls(to_jsonb(c)) order by c.field_id, c.change), '[]')
    into changes
    from change as c;

    if jsonb_path_exists(changes, '$[*] ? (@.change != "renamed")') then
        update mirror_table t set high_mark = null
        where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
        perform sync_abandon(p_tenant_id, r.sync_id, 'the fields changed')
        from sync_run r
        where r.tenant_id = p_tenant_id and r.table_id = p_table_id and r.state = 'reading'
            and (r.pages > 0 or r.mode = 'incremental');
    end if;
    return changes;
end
$$;

comment on function leasehold.mirror_field_put is 'Returns what changed: added, renamed, retyped, removed, returned';

-- Makes the mirror of a run's table equal to what the run has read. Readers see the old state or
-- the new one, because everything happens in the caller's transaction.
--
-- The comparison joins ids and hashes only, so that its hash tables stay small; contents are fetched
-- for what differs. Sequential scans are off because a plan made while this tenant's rows are few
-- would read every tenant's. JIT costs more than it gives here.
--
-- The next incremental run begins where this one began, by the slower of the two clocks, so that what
-- was changed while this one read is read again. It begins where this one did look if this one may not
-- have seen everything: fewer records came than the API counts, or none, which an API in trouble
-- answers as well, and which costs nothing to ask once more.
create function leasehold.mirror_merge(
    p_tenant_id text, p_sync_id bigint, p_job_id bigint, p_job_run bigint,
    p_deleted_share real, p_deleted_floor bigint, p_overlap interval, p_accepts_short boolean
) returns table (
    outcome text, inserted bigint, updated bigint, deleted bigint, unchanged bigint, record_count bigint
)
language plpgsql
set search_path = leasehold, pg_temp
set enable_seqscan = off
set jit = off
set work_mem = '64MB'
as $$
declare
    run sync_run;
    target mirror_table;
    staged bigint;
    records bigint;
    repeated bigint;
    is_short boolean;
    suspicious boolean;
    moment timestamptz := clock_timestamp();
begin
    select r.* into run from sync_run r
    where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id
        and r.job_id = p_job_id and r.job_run = p_job_run and r.state = 'reading'
    for update;
    if not found then
        outcome := 'lost';
        return next;
        return;
    end if;
    select t.* into target from mirror_table t
    where t.tenant_id = p_tenant_id and t.table_id = run.table_id
    for no key update;

    select coalesce(sum(copies), 0), count(*), count(*) filter (where copies > 1)
    into staged, records, repeated
    from (select count(*) as copies from mirror_stage s where s.sync_id = p_sync_id group by s.record_id) as record;
    if staged <> run.rows then
        outcome := 'stage_lost';
        return next;
        return;
    end if;
    is_short := coalesce(records < run.expected_rows, false);
    if not p_accepts_short
        and (is_short or (run.mode = 'full' and records = 0 and target.record_count > 0)) then
        outcome := 'short';
        record_count := records;
        return next;
        return;
    end if;
    if repeated > 0 then
        delete from mirror_stage s
        using (
            select ctid as row_id, row_number() over (partition by record_id order by page desc, ctid desc) as age
            from mirror_stage where sync_id = p_sync_id
        ) as copy
        where s.ctid = copy.row_id and s.sync_id = p_sync_id and copy.age > 1;
    end if;

    with compared as materialized (
        select coalesce(s.record_id, m.record_id) as record_id,
            case
                when m.record_id is null then 'insert'
                when s.record_id is null then 'delete'
                else 'update'
            end as operation
        from (
            select record_id, content_hash from mirror_stage where sync_id = p_sync_id
        ) as s
        full join (
            select record_id, content_hash from mirror_record
            where tenant_id = p_tenant_id and table_id = run.table_id
        ) as m on m.record_id = s.record_id
        where m.content_hash is distinct from s.content_hash
            and (s.record_id is not null or run.mode = 'full')
    ), counted as materialized (
        select count(*) filter (where operation = 'insert') as inserted,
            count(*) filter (where operation = 'update') as updated,
            count(*) filter (where operation = 'delete') as deleted
        from compared
    ), verdict as materialized (
        select c.deleted >= p_deleted_floor and c.deleted > p_deleted_share * target.record_count
            and not target.deletion_confirmed as suspicious
        from counted as c
    ), insertion as (
        insert into mirror_record (tenant_id, table_id, record_id, content_hash, fields, labels, changed_at)
        select p_tenant_id, run.table_id, s.record_id, s.content_hash, s.fields::jsonb, s.labels::jsonb, moment
        from compared as c
        join mirror_stage as s on s.sync_id = p_sync_id and s.record_id = c.record_id
        where c.operation = 'insert' and not (select v.suspicious from verdict as v)
    ), changing as (
        update mirror_record as m
        set content_hash = s.content_hash, fields = s.fields::jsonb, labels = s.labels::jsonb, changed_at = moment
        from compared as c
        join mirror_stage as s on s.sync_id = p_sync_id and s.record_id = c.record_id
        where m.tenant_id = p_tenant_id and m.table_id = run.table_id and m.record_id = c.record_id
            and c.operation = 'update' and not (select v.suspicious from verdict as v)
    ), deletion as (
        delete from mirror_record as m
        using compared as c
        where m.tenant_id = p_tenant_id and m.table_id = run.table_id and m.record_id = c.record_id
            and c.operation = 'delete' and not (select v.suspicious from verdict as v)
    ), noting as (
        insert into mirror_change (tenant_id, table_id, position, record_id, operation, changed_at)
        select p_tenant_id, run.table_id, target.last_position + row_number() over (), c.record_id, c.operation, moment
        from compared as c
        where not (select v.suspicious from verdict as v)
    )
    select c.inserted, c.updated, c.deleted, v.suspicious
    into inserted, updated, deleted, suspicious
    from counted as c, verdict as v;
    unchanged := records - inserted - updated;
    record_count := target.record_count;

    if suspicious then
        outcome := 'suspicious';
        update sync_run r
        set state = 'suspicious', finished_at = moment,
            reason = format('would delete %s of %s records', mirror_merge.deleted, target.record_count)
        where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id;
    else
        outcome := 'merged';
        record_count := target.record_count + inserted - deleted;
        update mirror_table t
        set last_position = t.last_position + mirror_merge.inserted + mirror_merge.updated + mirror_merge.deleted,
            record_count = mirror_merge.record_count,
            deletion_confirmed = false, synced_at = moment,
            full_synced_at = case when run.mode = 'full' then run.started_at else t.full_synced_at end,
            high_mark = case
                when is_short and run.mode = 'full' then null
                when run.mode = 'incremental' and (is_short or records = 0) then t.high_mark
                else least(run.started_at, run.source_time) - p_overlap
            end,
            updated_at = moment
        where t.tenant_id = p_tenant_id and t.table_id = run.table_id;
        update sync_run r
        set state = 'merged', finished_at = moment, inserted = mirror_merge.inserted, updated = mirror_merge.updated,
            deleted = mirror_merge.deleted, unchanged = mirror_merge.unchanged
        where r.tenant_id = p_tenant_id and r.sync_id = p_sync_id;
    end if;
    return next;
end
$$;

comment on function leasehold.mirror_merge is 'outcome: merged, suspicious (nothing changed), short (nothing changed: record_count is what came, less than the API counts or nothing at all; start over), stage_lost (start over), lost (the caller no longer holds the run)';

-- The changes of a mirror after a position, oldest first, with the record as it is now: null fields
-- for one that is gone. Applied in order, "null deletes, anything else replaces" gives the mirror.
create function leasehold.mirror_changes(
    p_tenant_id text, p_table_id text, p_after bigint, p_limit integer default 1000
) returns table (
    "position" bigint, record_id text, operation text, changed_at timestamptz, fields jsonb, labels jsonb
)
language plpgsql stable
set search_path = leasehold, pg_temp set jit = off
as $$
declare
    target mirror_table;
begin
    select t.* into target from mirror_table t where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
    if not found then
        raise exception 'no mirrored table % of tenant %', p_table_id, p_tenant_id using errcode = 'no_data_found';
    end if;
    if p_after + 1 < target.first_position then
        raise exception 'the changes after position % are kept from % on only', p_after, target.first_position
            using errcode = 'invalid_parameter_value',
                hint = 'in one repeatable read transaction, read last_position of leasehold.mirror_table and all of '
                    'the table''s leasehold.mirror_record; go on from that position';
    end if;
    return query
    select c.position, c.record_id, c.operation, c.changed_at, m.fields, m.labels
    from mirror_change c
    left join mirror_record m
        on m.tenant_id = c.tenant_id and m.table_id = c.table_id and m.record_id = c.record_id
    where c.tenant_id = p_tenant_id and c.table_id = p_table_id and c.position > p_after
    order by c.position
    limit p_limit;
end
$$;

comment on function leasehold.mirror_changes is 'Follows a mirror: pass the last position you have applied; 0 is the beginning';

-- Removes what is no longer needed, in steps small enough to repeat: changes that every consumer had
-- p_keep_changes to read, finished runs but the last of each table, staged records without a run.
create function leasehold.mirror_prune(
    p_keep_changes interval, p_keep_runs interval, p_abandon_after interval, p_batch integer
) returns table (changes bigint, runs bigint, staged bigint, abandoned bigint)
language plpgsql
set search_path = leasehold, pg_temp set jit = off
as $$
declare
    target record;
    removed bigint;
begin
    update sync_run r
    set state = 'abandoned', reason = 'no job went on with it', finished_at = clock_timestamp()
    where r.state = 'reading' and r.advanced_at < clock_timestamp() - p_abandon_after
        and not exists (select 1 from job j where j.job_id = r.job_id);
    get diagnostics abandoned = row_count;

    delete from mirror_stage s
    where s.ctid = any(array(
        select stage.ctid from mirror_stage stage
        where not exists (
            select 1 from sync_run r
            where r.tenant_id = stage.tenant_id and r.sync_id = stage.sync_id and r.state = 'reading')
        limit p_batch));
    get diagnostics staged = row_count;

    delete from sync_run r
    where (r.tenant_id, r.sync_id) in (
        select old.tenant_id, old.sync_id from sync_run old
        where old.finished_at < clock_timestamp() - p_keep_runs
            and exists (
                select 1 from sync_run newer
                where newer.tenant_id = old.tenant_id and newer.table_id = old.table_id
                    and newer.sync_id > old.sync_id)
        limit p_batch);
    get diagnostics runs = row_count;

    changes := 0;
    for target in
        select t.tenant_id, t.table_id, t.first_position from mirror_table t
        join mirror_change c
            on c.tenant_id = t.tenant_id and c.table_id = t.table_id and c.position = t.first_position
        where c.changed_at < clock_timestamp() - p_keep_changes
    loop
        -- Positions rise with time, so what is old enough is a beginning without gaps.
        delete from mirror_change c
        where c.tenant_id = target.tenant_id and c.table_id = target.table_id
            and c.position < target.first_position + p_batch - changes
            and c.changed_at < clock_timestamp() - p_keep_changes;
        get diagnostics removed = row_count;
        update mirror_table t set first_position = t.first_position + removed
        where t.tenant_id = target.tenant_id and t.table_id = target.table_id;
        changes := changes + removed;
        exit when changes >= p_batch;
    end loop;
    return next;
end
$$;

comment on function leasehold.mirror_prune is 'Call it until every number is below p_batch';
