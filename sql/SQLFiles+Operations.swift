extension SQLFile {
    /// The server and what it is set to.
    package static let doctorServer = SQLFile("doctor_server", PackageResources.doctor_server_sql)
    /// Tables that autovacuum does not keep up with.
    package static let doctorTables = SQLFile("doctor_tables", PackageResources.doctor_tables_sql)
    /// Lanes with jobs that nothing will serve.
    package static let doctorLanes = SQLFile("doctor_lanes", PackageResources.doctor_lanes_sql)
    /// Running jobs of workers that are gone.
    package static let doctorLeases = SQLFile("doctor_leases", PackageResources.doctor_leases_sql)
    /// Credentials that need somebody.
    package static let doctorTokens = SQLFile("doctor_tokens", PackageResources.doctor_tokens_sql)
    /// Queues, workers, token endpoints, late schedules and refused syncs.
    package static let doctorWork = SQLFile("doctor_work", PackageResources.doctor_work_sql)
    /// Keys that workers have met.
    package static let doctorKeys = SQLFile("doctor_keys", PackageResources.doctor_keys_sql)
    /// What `leasehold top` shows, as one JSON object.
    package static let topRead = SQLFile("top_read", PackageResources.top_read_sql)
}

extension SQLFiles {
    static let operationsQueries: [SQLFile] = [
        .doctorServer, .doctorTables, .doctorLanes, .doctorLeases, .doctorTokens, .doctorWork, .doctorKeys, .topRead,
    ]
}
