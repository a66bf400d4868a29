-- More steering of jobs: cancel requests that reach the worker at once, and discarding.

-- A cancel request of a running job goes to its worker alone, whose id is the payload: it asks for its
-- heartbeat's answer at once. A notification that gets lost is made up for by the next heartbeat.
create function leasehold.job_cancel_ring() returns trigger
language plpgsql set search_path = pg_catalog, pg_temp set jit = off as $$
begin
    perform pg_notify('leasehold_cancel', job.claimed_by::text)
    from leasehold.job where job.job_id = new.job_id and job.claimed_by is not null;
    return null;
end $$;

comment on function leasehold.job_cancel_ring is 'After a cancel request: notifies leasehold_cancel with the id of the job''s worker';

create trigger job_cancel_ring after insert on leasehold.job_cancel for each row
    execute function leasehold.job_cancel_ring();

create function leasehold.job_left_alone(asked bigint) returns text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
begin
    if exists (select from leasehold.job where job.job_id = asked) then
        return 'running';
    elsif exists (select from leasehold.job_history where job_history.job_id = asked) then
        return 'ended';
    end if;
    raise exception 'expected the id of a job, got %', asked
        using errcode = 'LH004', hint = 'leasehold jobs list';
end $$;

comment on function leasehold.job_left_alone is
    'Why a job that does not wait was left alone: running or ended. Error LH004: there is no such job';

create function leasehold.job_discard(discarded bigint, reason text default 'discarded by request') returns text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
    of_tenant text;
begin
    select job.tenant_id into of_tenant from leasehold.job where job.job_id = discarded;
    if leasehold.job_end(discarded, 'discarded', 'discarded', left(reason, 10000)) then
        perform leasehold.action_note('discard', 'job', tenant => of_tenant, job => discarded,
            detail => jsonb_build_object('reason', left(reason, 500)));
        return 'discarded';
    end if;
    return leasehold.job_left_alone(discarded);
end $$;

comment on function leasehold.job_discard is
    'discarded: it waited and has ended, as a failure; running: left alone, job_cancel stops it; ended: it had ended. Jobs that wait for it do as after any failure';

create function leasehold.job_reschedule(rescheduled bigint, at timestamptz) returns text
language plpgsql set search_path = pg_catalog, pg_temp set enable_seqscan = off set jit = off as $$
declare
    changed leasehold.job;
begin
    if at is null then
        raise exception 'expected the time at which job % is to run, got none', rescheduled using errcode = 'LH002';
    end if;
    -- One that is parked keeps waiting for what it waits for, and for its time after that.
    update leasehold.job
    set run_at = at, ready_at = case when state = 'parked' then ready_at else at end,
        due_at = case when state = 'parked' then due_at else at end,
        place = case when state = 'parked' then place end,
        state = case when state = 'parked' then state else 'scheduled' end
    where job.job_id = rescheduled and claimed_by is null
    returning job.* into changed;
    if found then
        perform leasehold.action_note('reschedule', 'job', tenant => changed.tenant_id, job => rescheduled,
            detail => jsonb_build_object('run_at', at));
        return changed.state;
    end if;
    return leasehold.job_left_alone(rescheduled);
end $$;

comment on function leasehold.job_reschedule is
    'Gives a waiting job another time. scheduled: it waits for it; parked: it waits for it when it is released; running, ended: left alone';

select leasehold.roles_apply();
