extension SQLFile {
    /// Makes the fields of a table those that the API shows; returns what changed.
    package static let mirrorFieldPut = SQLFile("mirror_field_put", PackageResources.mirror_field_put_sql)
    /// The fields of a table that are there now.
    package static let mirrorFieldList = SQLFile("mirror_field_list", PackageResources.mirror_field_list_sql)
    /// The content hashes of some records.
    package static let mirrorHashList = SQLFile("mirror_hash_list", PackageResources.mirror_hash_list_sql)
    /// Makes a mirror equal to what a run has read.
    package static let mirrorMerge = SQLFile("mirror_merge", PackageResources.mirror_merge_sql)
    /// Removes old changes, old runs and staged records without a run.
    package static let mirrorPrune = SQLFile("mirror_prune", PackageResources.mirror_prune_sql)
    /// The ids of a table's records, page by page.
    package static let mirrorRecordList = SQLFile("mirror_record_list", PackageResources.mirror_record_list_sql)
    /// Throws away the records that a finished run had read.
    package static let mirrorStageClear = SQLFile("mirror_stage_clear", PackageResources.mirror_stage_clear_sql)
    /// Marks a table that the API no longer shows.
    package static let mirrorTableGone = SQLFile("mirror_table_gone", PackageResources.mirror_table_gone_sql)
    /// A tenant's mirrored tables with their runs, jobs and views.
    package static let mirrorTableList = SQLFile("mirror_table_list", PackageResources.mirror_table_list_sql)
    /// Writes down the tables that a listing showed and marks the missing ones.
    package static let mirrorTablePut = SQLFile("mirror_table_put", PackageResources.mirror_table_put_sql)
    /// Brings typed views in step with the fields.
    package static let mirrorViewRefresh = SQLFile("mirror_view_refresh", PackageResources.mirror_view_refresh_sql)
    /// Tries again the typed views that could not be changed.
    package static let mirrorViewRetry = SQLFile("mirror_view_retry", PackageResources.mirror_view_retry_sql)
    /// The checkpoint of a run; no row if the claim no longer holds it.
    package static let syncAdvance = SQLFile("sync_advance", PackageResources.sync_advance_sql)
    /// Lets the next sync of a table delete what it finds gone.
    package static let syncConfirm = SQLFile("sync_confirm", PackageResources.sync_confirm_sql)
    /// The run that a claim goes on with, or a new one.
    package static let syncOpen = SQLFile("sync_open", PackageResources.sync_open_sql)
    /// Enqueues a sync of one table.
    package static let syncRequest = SQLFile("sync_request", PackageResources.sync_request_sql)
    /// Enqueues a sync of every live table of a tenant.
    package static let syncRequestMany = SQLFile("sync_request_many", PackageResources.sync_request_many_sql)
    /// Forgets the pages of a run.
    package static let syncRestart = SQLFile("sync_restart", PackageResources.sync_restart_sql)
    /// The latest runs of a tenant.
    package static let syncRunList = SQLFile("sync_run_list", PackageResources.sync_run_list_sql)
    /// A tenant's state and its settings for Pitchly.
    package static let syncSettings = SQLFile("sync_settings", PackageResources.sync_settings_sql)
}

extension SQLFiles {
    static let syncQueries: [SQLFile] = [
        .mirrorFieldPut,
        .mirrorFieldList,
        .mirrorHashList,
        .mirrorMerge,
        .mirrorPrune,
        .mirrorRecordList,
        .mirrorStageClear,
        .mirrorTableGone,
        .mirrorTableList,
        .mirrorTablePut,
        .mirrorViewRefresh,
        .mirrorViewRetry,
        .syncAdvance,
        .syncConfirm,
        .syncOpen,
        .syncRequest,
        .syncRequestMany,
        .syncRestart,
        .syncRunList,
        .syncSettings,
    ]
}
