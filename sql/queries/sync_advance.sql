-- sync_advance: the checkpoint of a run, written with the page it counts; no row if the claim no
-- longer holds the run. Tells whether the tenant was paused meanwhile. An empty page after others is
-- not believed what it counts. By the primary keys.
-- params: $1 text tenant_id, $2 bigint sync_id, $3 bigint job_id, $4 bigint job_run, $5 text cursor, $6 bigint page_rows, $7 bigint expected_rows, $8 bigint repairs
update leasehold.sync_run
set cursor = $5, pages = pages + 1, rows = rows + $6,
    expected_rows = case when $6 > 0 then coalesce($7, expected_rows) else coalesce(expected_rows, $7) end,
    repairs = repairs + $8, advanced_at = clock_timestamp()
where tenant_id = $1 and sync_id = $2 and job_id = $3 and job_run = $4 and state = 'reading'
returning pages, rows, expected_rows,
    (select tenant.state = 'paused' from leasehold.tenant where tenant.tenant_id = $1) as is_paused
