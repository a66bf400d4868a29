-- action_list: a page of the log of actions, newest first: of all, of one tenant, or of one job. Leans on
--   action_pkey, action_tenant and action_job.
-- params: $1 text tenant_id, $2 bigint job_id, $3 bigint before_action_id, $4 integer page_size
select action_id, done_at, actor, via, login, verb, object, name, tenant_id, job_id, count,
    detail, statement_timestamp() as now
from (
    (select * from leasehold_dashboard.action_log
    where $1 is null and $2 is null and action_id < coalesce($3, 9223372036854775807)
    order by action_id desc limit $4)
    union all
    (select * from leasehold_dashboard.action_log
    where tenant_id = $1 and $2 is null and action_id < coalesce($3, 9223372036854775807)
    order by action_id desc limit $4)
    union all
    (select * from leasehold_dashboard.action_log
    where job_id = $2 and action_id < coalesce($3, 9223372036854775807)
    order by action_id desc limit $4)
) as listed
order by action_id desc limit $4
