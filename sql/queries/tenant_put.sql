-- tenant_put: adds a tenant or sets what a request names of it; a null leaves the value as it is, and
--   a name in the list of cleared ones takes its limit away. Settings are the member of that name of a body.
-- params: $1 text tenant_id, $2 text name, $3 real weight, $4 integer max_running, $5 real rate_per_second,
--   $6 integer rate_burst, $7 jsonb body, $8 text[] cleared
insert into leasehold.tenant as t (tenant_id, name, weight, max_running, rate_per_second, rate_burst, settings)
values ($1, coalesce($2, ''), coalesce($3, 1), $4, $5, $6, coalesce($7 -> 'settings', '{}'))
on conflict (tenant_id) do update set
    name = coalesce($2, t.name),
    weight = coalesce($3, t.weight),
    max_running = case when 'max_running' = any ($8) then null else coalesce($4, t.max_running) end,
    rate_per_second = case when 'rate_per_second' = any ($8) then null else coalesce($5, t.rate_per_second) end,
    rate_burst = case when 'rate_burst' = any ($8) then null else coalesce($6, t.rate_burst) end,
    settings = coalesce($7 -> 'settings', t.settings),
    updated_at = clock_timestamp()
returning (xmax = 0) as added
