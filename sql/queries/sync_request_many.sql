-- sync_request_many: enqueues one sync per live table of a tenant; a table whose sync waits or runs
-- is asked for once more. By the primary key of mirror_table.
-- params: $1 text tenant_id, $2 text queue
select count(leasehold.sync_request($1, target.table_id, $2)) as requested
from leasehold.mirror_table as target
where target.tenant_id = $1 and target.state = 'live'
