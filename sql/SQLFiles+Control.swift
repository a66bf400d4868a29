extension SQLFile {
    package static let apiKeyUse = SQLFile("api_key_use", PackageResources.api_key_use_sql)
    package static let apiKeyAdd = SQLFile("api_key_add", PackageResources.api_key_add_sql)
    package static let apiKeyList = SQLFile("api_key_list", PackageResources.api_key_list_sql)
    package static let apiKeyRevoke = SQLFile("api_key_revoke", PackageResources.api_key_revoke_sql)
    package static let apiSessionAdd = SQLFile("api_session_add", PackageResources.api_session_add_sql)
    package static let apiSessionUse = SQLFile("api_session_use", PackageResources.api_session_use_sql)
    package static let apiSessionEnd = SQLFile("api_session_end", PackageResources.api_session_end_sql)
    package static let connectBegin = SQLFile("connect_begin", PackageResources.connect_begin_sql)
    package static let connectTake = SQLFile("connect_take", PackageResources.connect_take_sql)
    package static let jobEnqueueJSON = SQLFile("job_enqueue_json", PackageResources.job_enqueue_json_sql)
    package static let actionSource = SQLFile("action_source", PackageResources.action_source_sql)
    package static let actionList = SQLFile("action_list", PackageResources.action_list_sql)
    package static let jobsSteer = SQLFile("jobs_steer", PackageResources.jobs_steer_sql)
    package static let tenantPut = SQLFile("tenant_put", PackageResources.tenant_put_sql)
}

extension SQLFiles {
    static let controlQueries: [SQLFile] = [
        .apiKeyUse, .apiKeyAdd, .apiKeyList, .apiKeyRevoke, .apiSessionAdd, .apiSessionUse, .apiSessionEnd,
        .connectBegin, .connectTake, .jobEnqueueJSON, .tenantPut, .actionSource, .actionList, .jobsSteer,
    ]
}
