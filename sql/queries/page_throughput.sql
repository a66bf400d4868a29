-- page_throughput: what ended in each minute of the last hour, and why it had waited; the view bounds its cost.
-- params: none
with slots as (
    select generate_series(date_trunc('minute', statement_timestamp()) - interval '59 minutes',
        date_trunc('minute', statement_timestamp()), interval '1 minute') as minute
), ended as (
    select minute, sum(completed)::double precision as completed,
        sum(discarded + cancelled)::double precision as discarded,
        sum(failed_attempts)::double precision as failed,
        avg(mean_wait_turn_seconds)::double precision as wait_turn,
        avg(mean_wait_limit_seconds)::double precision as wait_limit,
        avg(mean_wait_worker_seconds)::double precision as wait_worker,
        avg(mean_wait_parked_seconds)::double precision as wait_parked
    from leasehold_dashboard.throughput_by_minute group by minute
)
select slots.minute, coalesce(completed, 0) as completed, coalesce(discarded, 0) as discarded,
    coalesce(failed, 0) as failed, coalesce(wait_turn, 0) as wait_turn, coalesce(wait_limit, 0) as wait_limit,
    coalesce(wait_worker, 0) as wait_worker, coalesce(wait_parked, 0) as wait_parked
from slots left join ended using (minute) order by slots.minute
