extension SQLFile {
    package static let jobAttempts = SQLFile("job_attempts", PackageResources.job_attempts_sql)
    package static let jobCancel = SQLFile("job_cancel", PackageResources.job_cancel_sql)
    package static let jobClaim = SQLFile("job_claim", PackageResources.job_claim_sql)
    package static let jobDiscard = SQLFile("job_discard", PackageResources.job_discard_sql)
    package static let jobReschedule = SQLFile("job_reschedule", PackageResources.job_reschedule_sql)
    package static let jobEnqueue = SQLFile("job_enqueue", PackageResources.job_enqueue_sql)
    package static let jobErrors = SQLFile("job_errors", PackageResources.job_errors_sql)
    package static let jobList = SQLFile("job_list", PackageResources.job_list_sql)
    package static let jobProgress = SQLFile("job_progress", PackageResources.job_progress_sql)
    package static let jobRetry = SQLFile("job_retry", PackageResources.job_retry_sql)
    package static let jobSettle = SQLFile("job_settle", PackageResources.job_settle_sql)
    package static let jobShow = SQLFile("job_show", PackageResources.job_show_sql)
    package static let kindLimit = SQLFile("kind_limit", PackageResources.kind_limit_sql)
    package static let kindList = SQLFile("kind_list", PackageResources.kind_list_sql)
    package static let kindPause = SQLFile("kind_pause", PackageResources.kind_pause_sql)
    package static let kindResume = SQLFile("kind_resume", PackageResources.kind_resume_sql)
    package static let queueLanes = SQLFile("queue_lanes", PackageResources.queue_lanes_sql)
    package static let queueLimit = SQLFile("queue_limit", PackageResources.queue_limit_sql)
    package static let queueList = SQLFile("queue_list", PackageResources.queue_list_sql)
    package static let queuePause = SQLFile("queue_pause", PackageResources.queue_pause_sql)
    package static let queuePrune = SQLFile("queue_prune", PackageResources.queue_prune_sql)
    package static let queueReconcile = SQLFile("queue_reconcile", PackageResources.queue_reconcile_sql)
    package static let queueResume = SQLFile("queue_resume", PackageResources.queue_resume_sql)
    package static let tenantPark = SQLFile("tenant_park", PackageResources.tenant_park_sql)
    package static let tenantUnpark = SQLFile("tenant_unpark", PackageResources.tenant_unpark_sql)
    package static let workerHeartbeat = SQLFile("worker_heartbeat", PackageResources.worker_heartbeat_sql)
    package static let workerJobs = SQLFile("worker_jobs", PackageResources.worker_jobs_sql)
    package static let workerList = SQLFile("worker_list", PackageResources.worker_list_sql)
    package static let workerOutlook = SQLFile("worker_outlook", PackageResources.worker_outlook_sql)
    package static let workerRegister = SQLFile("worker_register", PackageResources.worker_register_sql)
    package static let workerRescue = SQLFile("worker_rescue", PackageResources.worker_rescue_sql)
    package static let workerSleep = SQLFile("worker_sleep", PackageResources.worker_sleep_sql)
    package static let workerStop = SQLFile("worker_stop", PackageResources.worker_stop_sql)
    package static let workerUnregister = SQLFile("worker_unregister", PackageResources.worker_unregister_sql)
    package static let workerWake = SQLFile("worker_wake", PackageResources.worker_wake_sql)
}

extension SQLFiles {
    static let queueQueries: [SQLFile] = [
        .jobAttempts, .jobCancel, .jobClaim, .jobDiscard, .jobReschedule, .jobEnqueue, .jobErrors, .jobList,
        .jobProgress, .jobRetry,
        .jobSettle, .jobShow, .kindLimit, .kindList, .kindPause, .kindResume, .queueLanes, .queueLimit, .queueList,
        .queuePause, .queuePrune,
        .queueReconcile, .queueResume, .tenantPark, .tenantUnpark, .workerHeartbeat, .workerJobs, .workerList,
        .workerOutlook, .workerRegister, .workerRescue, .workerSleep, .workerStop, .workerUnregister, .workerWake,
    ]
}
