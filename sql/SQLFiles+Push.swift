extension SQLFile {
    /// Ends a waiting push without sending it.
    package static let pushCancel = SQLFile("push_cancel", PackageResources.push_cancel_sql)
    /// Seconds until the next push of a table is due.
    package static let pushDue = SQLFile("push_due", PackageResources.push_due_sql)
    /// A tenant's pushes, newest first.
    package static let pushList = SQLFile("push_list", PackageResources.push_list_sql)
    /// Forgets pushes that ended long ago.
    package static let pushPrune = SQLFile("push_prune", PackageResources.push_prune_sql)
    /// Sends a push after all, or at once.
    package static let pushRetry = SQLFile("push_retry", PackageResources.push_retry_sql)
    /// What became of pushes.
    package static let pushSettle = SQLFile("push_settle", PackageResources.push_settle_sql)
    /// One push.
    package static let pushShow = SQLFile("push_show", PackageResources.push_show_sql)
    /// The pushes of a table to send together next.
    package static let pushTake = SQLFile("push_take", PackageResources.push_take_sql)
}

extension SQLFiles {
    static let pushQueries: [SQLFile] = [
        .pushCancel,
        .pushDue,
        .pushList,
        .pushPrune,
        .pushRetry,
        .pushSettle,
        .pushShow,
        .pushTake,
    ]
}
