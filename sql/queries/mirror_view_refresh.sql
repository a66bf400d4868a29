-- mirror_view_refresh: brings the typed view of a table, or of all of a tenant, in step with the
-- fields; a view that a reader holds stays as it was.
-- params: $1 text tenant_id, $2 text table_id
select table_id, view_name, outcome, problem from leasehold.mirror_view_refresh($1, $2)
