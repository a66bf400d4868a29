-- The dashboard, part 1: how its views count without reading a whole table. Exact counts stop at a
-- bound; beyond it a few hundred pages are read and scaled up, and the view says so. Nothing is
-- counted where jobs are enqueued, claimed and settled: looking costs, working does not.
--
-- The functions run with the rights of their owner and are called by the views only: whoever may read
-- a view needs no right on a table, nor on the schema leasehold.

create schema leasehold_dashboard;

comment on schema leasehold_dashboard is
    'Views for people, Grafana and alerts: read only, no token, each at a bounded cost whatever the tables hold';

create type leasehold.job_glimpse as (
    tenant_id text,
    queue text,
    state text,
    claimed_by uuid,
    ready_at timestamptz,
    counts_for double precision,
    page bigint
);

comment on type leasehold.job_glimpse is 'A live job that a sample has met, and how many it stands for';

-- Whole pages at random. 200 of them hold about 3 000 jobs and cost 3 ms; a table that has no more is
-- read whole, and every job stands for itself.
create function leasehold.dashboard_jobs(pages integer default 200) returns setof leasehold.job_glimpse
language plpgsql stable security definer rows 3000
set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    all_pages constant double precision := greatest(1, pg_relation_size('leasehold.job')
        / current_setting('block_size')::double precision);
    percent constant double precision := least(100, 100 * pages / all_pages);
begin
    return query
    select job.tenant_id, job.queue, job.state, job.claimed_by, job.ready_at, 100 / percent,
        (job.ctid::text::point)[0]::bigint
    from leasehold.job tablesample system (percent);
end $$;

comment on function leasehold.dashboard_jobs is 'Live jobs on so many random pages, or all if there are no more';

-- Jobs that were enqueued together lie together, so what a sample says is as good as the number of pages
-- it met them on, not of jobs: a count scaled up from p pages is off by one part in the root of p (standard
-- error: 7 % with 200, 33 % with 9). Each page holds at least one of the jobs, so there are no fewer than
-- the pages say, less three such errors: that spares counting those that are many for certain.
create function leasehold.dashboard_at_least(pages_met bigint, counts_for double precision)
returns double precision
language sql immutable parallel safe
return case when counts_for > 1 then greatest(0, pages_met - 3 * sqrt(pages_met)) * counts_for
    else pages_met end;

comment on function leasehold.dashboard_at_least is
    'No fewer jobs than this, as good as certain, after a sample met some on so many pages';

create type leasehold.end_glimpse as (
    tenant_id text,
    queue text,
    outcome text,
    ended_at timestamptz,
    run_seconds real,
    waited_turn real,
    waited_limit real,
    waited_worker real,
    waited_parked real,
    counts_for double precision
);

comment on type leasehold.end_glimpse is 'The end of a run that a sample has met, and how many it stands for';

-- When the first row at or after a page ended; null if the next pages hold none.
create function leasehold.dashboard_page_time(part regclass, page bigint) returns timestamptz
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    found_at timestamptz;
begin
    execute format('select ended_at from %s where ctid >= %L::tid and ctid < %L::tid limit 1',
        part, format('(%s,0)', page), format('(%s,0)', page + 8)) into found_at;
    return found_at;
end $$;

comment on function leasehold.dashboard_page_time is 'When the first row at or after a page of a part of the history ended';

-- A day's part is only ever appended to, so its pages are in order of time but for what concurrent
-- sessions shuffle among neighbours: the first page since a moment is found by halving.
create function leasehold.dashboard_first_page(part regclass, pages bigint, since timestamptz) returns bigint
language plpgsql stable
set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    low bigint := 0;
    high bigint := pages;
    middle bigint;
begin
    while low < high loop
        middle := (low + high) / 2;
        if coalesce(leasehold.dashboard_page_time(part, middle) < since, false) then
            low := middle + 1;
        else
            high := middle;
        end if;
    end loop;
    return greatest(0, low - 64);
end $$;

comment on function leasehold.dashboard_first_page is 'Where the rows since a moment begin, give or take neighbours';

-- The tail of job_history or job_attempt: all of it while it has no more than so many pages, every
-- n-th page of it otherwise.
create function leasehold.dashboard_tail(parent text, since timestamptz, pages integer default 120)
returns setof leasehold.end_glimpse
language plpgsql stable security definer rows 4000
set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    parts regclass[];
    firsts bigint[] := '{}';
    ends bigint[] := '{}';
    step bigint;
begin
    select array_agg(c.oid::regclass order by c.relname) into parts
    from pg_inherits as i join pg_class as c on c.oid = i.inhrelid
    where i.inhparent = ('leasehold.' || parent)::regclass
        and right(c.relname, 8) between to_char(since at time zone 'UTC', 'YYYYMMDD')
            and to_char(clock_timestamp() at time zone 'UTC', 'YYYYMMDD');
    for n in 1 .. coalesce(cardinality(parts), 0) loop
        ends := ends || pg_relation_size(parts[n]) / current_setting('block_size')::bigint;
        firsts := firsts || leasehold.dashboard_first_page(parts[n], ends[n], since);
    end loop;
    step := ceil((select sum(e - f) from unnest(firsts, ends) as b(f, e)) / pages::double precision);
    for n in 1 .. coalesce(cardinality(parts), 0) loop
        return query execute format(
            'select r.tenant_id, r.queue, r.outcome, r.ended_at, %s, $4::double precision
            from generate_series($1 + floor(random() * $3)::bigint, $2 - 1, $3) as p(page)
                cross join lateral (
                    select * from %s where ctid >= (''('' || p.page || '',0)'')::tid
                        and ctid < (''('' || p.page + 1 || '',0)'')::tid offset 0) as r
            where r.ended_at >= $5',
            case parent when 'job_history'
                then 'r.run_seconds, r.waited_turn, r.waited_limit, r.waited_worker, r.waited_parked'
                else 'null::real, null::real, null::real, null::real, null::real' end, parts[n])
        using firsts[n], ends[n], greatest(1, step), greatest(1, step), since;
    end loop;
end $$;

comment on function leasehold.dashboard_tail is
    'Ended jobs (job_history) or failed attempts (job_attempt) since a moment: all, or every n-th page of them';

-- Rows of a table by the planner's last estimate, scaled to its present size.
create function leasehold.dashboard_rows(of_table regclass) returns bigint
language plpgsql stable security definer
set search_path = pg_catalog, pg_temp set jit = off as $$
declare
    estimate double precision;
    exact bigint;
begin
    if pg_relation_size(of_table) < 4000000 then
        execute format('select count(*) from %s', of_table) into exact;
        return exact;
    end if;
    select reltuples / greatest(relpages, 1) * (pg_relation_size(oid) / current_setting('block_size')::integer)
    into estimate
    from pg_class where oid = of_table and reltuples >= 0;
    return estimate;
end $$;

comment on function leasehold.dashboard_rows is
    'Rows of a table: counted up to 4 MB, the planner''s estimate beyond, null if it was never analysed';
