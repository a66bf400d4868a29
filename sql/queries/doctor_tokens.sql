-- doctor_tokens: credentials that need somebody: lost ones, troubled ones, and active ones whose
--   refresh has been due for ten minutes. At most 20 of each; leans on credential_lost,
--   credential_troubled and credential_due.
-- params: none
(select 'lost' as trouble, tenant_id, last_error_class as detail,
    date_part('epoch', clock_timestamp() - needs_authorization_at) as since_seconds
from leasehold_dashboard.token_health
where state = 'needs_authorization' order by needs_authorization_at desc limit 20)
union all
(select 'troubled', tenant_id, coalesce(suspect_reason, last_error_class, last_outcome),
    date_part('epoch', clock_timestamp() - coalesce(suspect_at, last_exchange_at))
from leasehold_dashboard.token_health
where (failures > 0 or suspect_reason is not null) and state = 'active' order by tenant_id limit 20)
union all
(select 'overdue', t.tenant_id, null, date_part('epoch', clock_timestamp() - t.refresh_due_at)
from leasehold_dashboard.provider_health as p cross join lateral (
    select h.tenant_id, h.refresh_due_at from leasehold_dashboard.token_health as h
    where h.provider = p.provider and h.state = 'active' and h.refresh_due_at < statement_timestamp() - interval '10 minutes'
    order by h.refresh_due_at limit 20) as t
order by t.refresh_due_at limit 20)
