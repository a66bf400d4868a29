/// One statement or migration, carried inside the binary. Its name is the file's name and the
/// statement's name in logs, metrics and `pg_stat_statements`.
package struct SQLFile: Sendable, Hashable {
    package let name: String
    package let text: String

    /// For statements that are made at run time or in a test; the program's own are embedded files.
    package init(name: String, text: String) {
        self.name = name
        self.text = text
    }

    /// An embedded file: the plugin `EmbedTexts` makes `PackageResources` of `migrations` and `queries`.
    init(_ name: String, _ text: String) { self.init(name: name, text: text) }
}

/// Every SQL file of the program. There is no list of embedded resources at run time, so the lists
/// stand here and in the extensions; a test compares them with the folders.
package enum SQLFiles {
    /// In the order they are applied: `v0001_…` first.
    package static let migrations: [SQLFile] = [
        SQLFile("v0001_tenant", PackageResources.v0001_tenant_sql),
        SQLFile("v0002_job", PackageResources.v0002_job_sql),
        SQLFile("v0003_credential", PackageResources.v0003_credential_sql),
        SQLFile("v0004_mirror", PackageResources.v0004_mirror_sql),
        SQLFile("v0005_lane", PackageResources.v0005_lane_sql),
        SQLFile("v0006_enqueue", PackageResources.v0006_enqueue_sql),
        SQLFile("v0007_enqueue_call", PackageResources.v0007_enqueue_call_sql),
        SQLFile("v0008_claim", PackageResources.v0008_claim_sql),
        SQLFile("v0009_claim_lane", PackageResources.v0009_claim_lane_sql),
        SQLFile("v0010_claim_limit", PackageResources.v0010_claim_limit_sql),
        SQLFile("v0011_claim_gate", PackageResources.v0011_claim_gate_sql),
        SQLFile("v0012_mirror_run", PackageResources.v0012_mirror_run_sql),
        SQLFile("v0013_claim_call", PackageResources.v0013_claim_call_sql),
        SQLFile("v0014_settle", PackageResources.v0014_settle_sql),
        SQLFile("v0015_settle_call", PackageResources.v0015_settle_call_sql),
        SQLFile("v0016_worker", PackageResources.v0016_worker_sql),
        SQLFile("v0017_steer", PackageResources.v0017_steer_sql),
        SQLFile("v0018_keep", PackageResources.v0018_keep_sql),
        SQLFile("v0019_provider", PackageResources.v0019_provider_sql),
        SQLFile("v0020_exchange", PackageResources.v0020_exchange_sql),
        SQLFile("v0021_exchange_end", PackageResources.v0021_exchange_end_sql),
        SQLFile("v0022_credential_read", PackageResources.v0022_credential_read_sql),
        SQLFile("v0023_credential_due", PackageResources.v0023_credential_due_sql),
        SQLFile("v0024_roles", PackageResources.v0024_roles_sql),
        SQLFile("v0025_mirror_merge", PackageResources.v0025_mirror_merge_sql),
        SQLFile("v0026_dashboard_sample", PackageResources.v0026_dashboard_sample_sql),
        SQLFile("v0027_dashboard_queue", PackageResources.v0027_dashboard_queue_sql),
        SQLFile("v0028_dashboard_job", PackageResources.v0028_dashboard_job_sql),
        SQLFile("v0029_dashboard_worker", PackageResources.v0029_dashboard_worker_sql),
        SQLFile("v0030_dashboard_tenant", PackageResources.v0030_dashboard_tenant_sql),
        SQLFile("v0031_dashboard_sync", PackageResources.v0031_dashboard_sync_sql),
        SQLFile("v0032_mirror_view", PackageResources.v0032_mirror_view_sql),
        SQLFile("v0033_mirror_view_refresh", PackageResources.v0033_mirror_view_refresh_sql),
        SQLFile("v0034_push", PackageResources.v0034_push_sql),
        SQLFile("v0035_push_send", PackageResources.v0035_push_send_sql),
        SQLFile("v0036_cron", PackageResources.v0036_cron_sql),
        SQLFile("v0037_schedule", PackageResources.v0037_schedule_sql),
        SQLFile("v0038_schedule_member", PackageResources.v0038_schedule_member_sql),
        SQLFile("v0039_schedule_call", PackageResources.v0039_schedule_call_sql),
        SQLFile("v0040_schedule_fire", PackageResources.v0040_schedule_fire_sql),
        SQLFile("v0041_schedule_status", PackageResources.v0041_schedule_status_sql),
        SQLFile("v0042_job_steer", PackageResources.v0042_job_steer_sql),
        SQLFile("v0043_api", PackageResources.v0043_api_sql),
        SQLFile("v0044_action", PackageResources.v0044_action_sql),
        SQLFile("v0045_job_many", PackageResources.v0045_job_many_sql),
    ]

    /// Every statement under `queries/`.
    package static let queries: [SQLFile] =
        tenantQueries + queueQueries + vaultQueries + syncQueries + pushQueries + operationsQueries
        + scheduleQueries + controlQueries + pageQueries
}
