extension SQLFile {
    package static let pageErrors = SQLFile("page_errors", PackageResources.page_errors_sql)
    package static let pageExchanges = SQLFile("page_exchanges", PackageResources.page_exchanges_sql)
    package static let pageJobs = SQLFile("page_jobs", PackageResources.page_jobs_sql)
    package static let pageJobsOfTenant = SQLFile("page_jobs_of_tenant", PackageResources.page_jobs_of_tenant_sql)
    package static let pageJobsParked = SQLFile("page_jobs_parked", PackageResources.page_jobs_parked_sql)
    package static let pageJobsRunning = SQLFile("page_jobs_running", PackageResources.page_jobs_running_sql)
    package static let pageJobsScheduled = SQLFile("page_jobs_scheduled", PackageResources.page_jobs_scheduled_sql)
    package static let pageLanes = SQLFile("page_lanes", PackageResources.page_lanes_sql)
    package static let pageOverview = SQLFile("page_overview", PackageResources.page_overview_sql)
    package static let pagePressure = SQLFile("page_pressure", PackageResources.page_pressure_sql)
    package static let pageQueues = SQLFile("page_queues", PackageResources.page_queues_sql)
    package static let pageSchedules = SQLFile("page_schedules", PackageResources.page_schedules_sql)
    package static let pageSyncOfTenant = SQLFile("page_sync_of_tenant", PackageResources.page_sync_of_tenant_sql)
    package static let pageSyncRuns = SQLFile("page_sync_runs", PackageResources.page_sync_runs_sql)
    package static let pageTenants = SQLFile("page_tenants", PackageResources.page_tenants_sql)
    package static let pageThroughput = SQLFile("page_throughput", PackageResources.page_throughput_sql)
    package static let pageToken = SQLFile("page_token", PackageResources.page_token_sql)
    package static let pageTokens = SQLFile("page_tokens", PackageResources.page_tokens_sql)
    package static let pageWorkers = SQLFile("page_workers", PackageResources.page_workers_sql)
}

extension SQLFiles {
    /// What the page for people reads: views of the schema `leasehold_dashboard` only.
    static let pageQueries: [SQLFile] = [
        .pageErrors, .pageExchanges, .pageJobs, .pageJobsOfTenant, .pageJobsParked, .pageJobsRunning,
        .pageJobsScheduled, .pageLanes, .pageOverview, .pagePressure, .pageQueues, .pageSchedules, .pageSyncOfTenant,
        .pageSyncRuns, .pageTenants, .pageThroughput, .pageToken, .pageTokens, .pageWorkers,
    ]
}
