-- Keeping the typed views in step with the fields. With the rights of the schema's owner, because a
-- worker may not create anything; names and columns come from the mirror and are quoted.

-- Makes one view what it should be. A view that only got columns at its end is replaced in place, which
-- keeps views that somebody built upon it; any other change drops it and makes it anew.
create function leasehold.mirror_view_put(
    p_tenant_id text, p_table_id text, p_name text, p_columns jsonb
) returns void
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    schema_name constant text := leasehold.mirror_schema(p_tenant_id);
    role_name constant text := leasehold.tenant_dashboard_role_name(p_tenant_id);
    query constant text := leasehold.mirror_view_query(p_tenant_id, p_table_id, p_columns);
    target constant text := format('%I.%I', schema_name, p_name);
    old leasehold.mirror_view;
    shown_name text;
    holder text;
    spare text;
begin
    -- Two tables may have swapped their names: who holds this one gives it up until its own turn.
    select v.table_id into holder from leasehold.mirror_view as v
    where v.tenant_id = p_tenant_id and v.view_name = p_name and v.table_id <> p_table_id;
    if found and to_regclass(target) is not null then
        spare := leasehold.clip(p_name, 48) || '~moved~' || left(encode(sha256(convert_to(holder, 'UTF8')), 'hex'), 6);
        execute format('alter view %s rename to %I', target, spare);
        update leasehold.mirror_view as v
        set view_name = spare, state = 'waiting', problem = 'another table took its name'
        where v.tenant_id = p_tenant_id and v.table_id = holder;
    end if;
    select v.* into old from leasehold.mirror_view as v
    where v.tenant_id = p_tenant_id and v.table_id = p_table_id;
    select t.name into shown_name from leasehold.mirror_table as t
    where t.tenant_id = p_tenant_id and t.table_id = p_table_id;
    if to_regnamespace(quote_ident(schema_name)) is null then
        execute format('create schema %I', schema_name);
        if to_regrole(quote_ident(role_name)) is not null then
            execute format('grant usage on schema %I to %I', schema_name, role_name);
        end if;
    end if;
    if old.view_name is not null and to_regclass(format('%I.%I', schema_name, old.view_name)) is not null then
        if old.view_name <> p_name then
            execute format('alter view %I.%I rename to %I', schema_name, old.view_name, p_name);
        end if;
        if not leasehold.mirror_view_extends(p_columns, old.columns) then
            execute format('drop view %s', target);
        end if;
    end if;
    execute format('create or replace view %s with (security_barrier = true) as %s', target, query);
    execute format('comment on view %s is %L', target,
        format('Table %s (%s) of tenant %s, as mirrored', shown_name, p_table_id, p_tenant_id));
    if to_regrole(quote_ident(role_name)) is not null then
        execute format('grant select on %s to %I', target, role_name);
    end if;
end
$$;

comment on function leasehold.mirror_view_put is 'One step of leasehold.mirror_view_refresh';
revoke all on function leasehold.mirror_view_put from public;

-- Whether the second list of columns is the beginning of the first.
create function leasehold.mirror_view_extends(p_columns jsonb, p_old jsonb) returns boolean
language sql immutable
set search_path = pg_catalog, pg_temp
as $$
    select not exists (
        select from jsonb_array_elements(p_old) with ordinality as old (value, place)
        where (p_columns -> (place - 1)::integer) - 'field' is distinct from value - 'field'
    )
$$;

comment on function leasehold.mirror_view_extends is 'Then PostgreSQL replaces a view in place';

-- Brings the views of a tenant in step with its mirror: that of one table and those whose name is to
-- change, or all of them. A reader that holds a view does not hold up whoever calls this: it waits
-- 250 ms for each view, then leaves it as it was for the next time. Nothing a view can be refused for
-- is an error here: it is told in leasehold.mirror_view.
create function leasehold.mirror_view_refresh(p_tenant_id text, p_table_id text default null)
returns table (table_id text, view_name text, outcome text, problem text)
language plpgsql
security definer
set search_path = pg_catalog, pg_temp
set lock_timeout = '10s' set jit = off
as $$
#variable_conflict use_column
declare
    item record;
    moment timestamptz := clock_timestamp();
    found_problem text;
    found_state text;
begin
    -- One refresh of a tenant at a time: the names of its views depend on each other.
    begin
        perform pg_advisory_xact_lock(hashtext('leasehold.mirror_view'), hashtext(p_tenant_id));
    exception
        when lock_not_available then
            update leasehold.mirror_view as v
            set state = 'waiting', problem = 'another refresh of the tenant takes long', checked_at = moment
            where v.tenant_id = p_tenant_id and v.table_id = p_table_id;
            return query select p_table_id, null::text, 'waiting', 'another refresh of the tenant takes long';
            return;
    end;
    for item in
        select wanted.table_id, wanted.name, wanted.columns, v.view_name as old_name, v.state,
            v.columns as old_columns
        from (
            select named.table_id, named.name,
                case when p_table_id is null or named.table_id = p_table_id or v.view_name is distinct from named.name
                    then leasehold.mirror_view_columns(p_tenant_id, named.table_id) else v.columns end as columns
            from (
                select array_agg(t.table_id order by t.created_at, t.table_id) as ids,
                    array_agg(t.name order by t.created_at, t.table_id) as names
                from leasehold.mirror_table as t where t.tenant_id = p_tenant_id
            ) as aged
            cross join lateral unnest(aged.ids, leasehold.mirror_names(aged.ids, aged.names, '{}'))
                as named (table_id, name)
            left join leasehold.mirror_view as v on v.tenant_id = p_tenant_id and v.table_id = named.table_id
        ) as wanted
        left join leasehold.mirror_view as v on v.tenant_id = p_tenant_id and v.table_id = wanted.table_id
        where wanted.columns <> '[]'
            and (p_table_id is null or wanted.table_id = p_table_id
                or (v.view_name is not null and v.view_name <> wanted.name))
        -- A name must be free before another view takes it.
        order by v.view_name is not null and v.view_name <> wanted.name desc, wanted.table_id
    loop
        table_id := item.table_id;
        view_name := item.name;
        problem := null;
        if item.state = 'current' and item.old_name = item.name and item.old_columns = item.columns
            and to_regclass(format('%I.%I', leasehold.mirror_schema(p_tenant_id), item.name)) is not null
        then
            outcome := 'unchanged';
            return next;
            continue;
        end if;
        begin
            perform set_config('lock_timeout', '250ms', true);
            perform leasehold.mirror_view_put(p_tenant_id, item.table_id, item.name, item.columns);
            found_state := 'current';
            found_problem := null;
        exception
            when lock_not_available or deadlock_detected then
                found_state := 'waiting';
                found_problem := 'a reader holds the view';
            when dependent_objects_still_exist then
                found_state := 'failed';
                get stacked diagnostics found_problem = pg_exception_detail;
            when others then
                found_state := 'failed';
                found_problem := sqlerrm;
        end;
        outcome := case found_state when 'current' then case when item.old_name is null then 'created' else 'changed' end
            else found_state end;
        problem := found_problem;
        insert into leasehold.mirror_view as v
            (tenant_id, table_id, schema_name, view_name, columns, state, problem, changed_at, checked_at)
        values (p_tenant_id, item.table_id, leasehold.mirror_schema(p_tenant_id),
            case found_state when 'current' then item.name end,
            case found_state when 'current' then item.columns else '[]' end, found_state, found_problem,
            case found_state when 'current' then moment end, moment)
        on conflict (tenant_id, table_id) do update
            set state = excluded.state, problem = excluded.problem, checked_at = excluded.checked_at,
                view_name = coalesce(excluded.view_name, v.view_name),
                columns = case excluded.state when 'current' then excluded.columns else v.columns end,
                changed_at = coalesce(excluded.changed_at, v.changed_at);
        return next;
    end loop;
end
$$;

comment on function leasehold.mirror_view_refresh is
    'outcome: unchanged, created, changed, waiting (a reader holds it) or failed (see problem)';

-- Tries again the views that readers held, and what an administrator may have mended meanwhile.
create function leasehold.mirror_view_retry(p_limit integer default 10) returns bigint
language sql
set search_path = pg_catalog, pg_temp
as $$
    select count(*) from (
        select v.tenant_id, v.table_id from leasehold.mirror_view as v
        where v.state = 'waiting' or (v.state = 'failed' and v.checked_at < clock_timestamp() - interval '10 minutes')
        order by v.checked_at
        limit p_limit
    ) as behind
    cross join lateral leasehold.mirror_view_refresh(behind.tenant_id, behind.table_id) as refreshed
    where refreshed.outcome in ('created', 'changed', 'unchanged')
$$;

comment on function leasehold.mirror_view_retry is 'Returns how many are in step now; for the workers'' maintenance';

-- Gives the tenant's role its rights. With the owner's rights, because only it may grant them.
create function leasehold.tenant_dashboard_grant(p_tenant_id text) returns void
language plpgsql
security definer
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    schema_name constant text := leasehold.mirror_schema(p_tenant_id);
    role_name constant text := leasehold.tenant_dashboard_role_name(p_tenant_id);
    view_name text;
begin
    if to_regnamespace(quote_ident(schema_name)) is null then
        execute format('create schema %I', schema_name);
    end if;
    execute format('grant usage on schema %I to %I', schema_name, role_name);
    for view_name in
        select v.view_name from leasehold.mirror_view as v
        where v.tenant_id = p_tenant_id and v.view_name is not null
    loop
        execute format('grant select on %I.%I to %I', schema_name, view_name, role_name);
    end loop;
end
$$;

comment on function leasehold.tenant_dashboard_grant is 'One step of leasehold.tenant_dashboard_role';
revoke all on function leasehold.tenant_dashboard_grant from public;

-- The role that may read one tenant's views and nothing else, made if it is missing; views that come
-- later are granted to it when they are made. Grant it to the logins of that tenant's dashboards.
create function leasehold.tenant_dashboard_role(p_tenant_id text) returns text
language plpgsql
set search_path = pg_catalog, pg_temp set jit = off
as $$
declare
    role_name constant text := leasehold.tenant_dashboard_role_name(p_tenant_id);
begin
    if not exists (select from leasehold.tenant as t where t.tenant_id = p_tenant_id) then
        perform leasehold.refuse_unknown_tenant(p_tenant_id);
    end if;
    if to_regrole(quote_ident(role_name)) is null then
        begin
            execute format('create role %I nologin', role_name);
        exception
            when duplicate_object or unique_violation then
                null;
            when insufficient_privilege then
                raise exception 'expected the right to create the role %, got none', quote_ident(role_name)
                    using errcode = 'insufficient_privilege',
                        hint = format('call leasehold.tenant_dashboard_role(%L) as a user with CREATEROLE', p_tenant_id);
        end;
    end if;
    perform leasehold.tenant_dashboard_grant(p_tenant_id);
    return role_name;
end
$$;

comment on function leasehold.tenant_dashboard_role is
    'Returns the role''s name, unquoted: grant it to a login with quote_ident';
revoke all on function leasehold.tenant_dashboard_role from public;

select leasehold.roles_apply();
