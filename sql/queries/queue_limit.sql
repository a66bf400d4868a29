-- queue_limit: sets all limits of a queue; null is no limit.
-- params: $1 text queue, $2 integer max_running, $3 real rate_per_second, $4 integer rate_burst, $5 real weight
insert into leasehold.queue (queue, max_running, rate_per_second, rate_burst, weight)
values ($1, $2, $3, $4, coalesce($5, 1))
on conflict (queue) do update
    set max_running = excluded.max_running, rate_per_second = excluded.rate_per_second,
        rate_burst = excluded.rate_burst, weight = excluded.weight
