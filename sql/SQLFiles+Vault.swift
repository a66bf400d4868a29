extension SQLFile {
    package static let credentialDoubt = SQLFile("credential_doubt", PackageResources.credential_doubt_sql)
    package static let credentialEvents = SQLFile("credential_events", PackageResources.credential_events_sql)
    package static let credentialGiveUp = SQLFile("credential_give_up", PackageResources.credential_give_up_sql)
    package static let credentialList = SQLFile("credential_list", PackageResources.credential_list_sql)
    package static let credentialLock = SQLFile("credential_lock", PackageResources.credential_lock_sql)
    package static let credentialPostpone = SQLFile("credential_postpone", PackageResources.credential_postpone_sql)
    package static let credentialRead = SQLFile("credential_read", PackageResources.credential_read_sql)
    package static let credentialRequest = SQLFile("credential_request", PackageResources.credential_request_sql)
    package static let credentialShow = SQLFile("credential_show", PackageResources.credential_show_sql)
    package static let credentialStanding = SQLFile("credential_standing", PackageResources.credential_standing_sql)
    package static let credentialStore = SQLFile("credential_store", PackageResources.credential_store_sql)
    package static let credentialSuspect = SQLFile("credential_suspect", PackageResources.credential_suspect_sql)
    package static let credentialTakeDue = SQLFile("credential_take_due", PackageResources.credential_take_due_sql)
    package static let exchangeBegin = SQLFile("exchange_begin", PackageResources.exchange_begin_sql)
    package static let exchangeCancel = SQLFile("exchange_cancel", PackageResources.exchange_cancel_sql)
    package static let exchangeFail = SQLFile("exchange_fail", PackageResources.exchange_fail_sql)
    package static let exchangeHistory = SQLFile("exchange_history", PackageResources.exchange_history_sql)
    package static let exchangeHold = SQLFile("exchange_hold", PackageResources.exchange_hold_sql)
    package static let exchangePrune = SQLFile("exchange_prune", PackageResources.exchange_prune_sql)
    package static let exchangeSave = SQLFile("exchange_save", PackageResources.exchange_save_sql)
    package static let keyNextArchived = SQLFile("key_next_archived", PackageResources.key_next_archived_sql)
    package static let keyNextRow = SQLFile("key_next_row", PackageResources.key_next_row_sql)
    package static let keyRegister = SQLFile("key_register", PackageResources.key_register_sql)
    package static let keyReseal = SQLFile("key_reseal", PackageResources.key_reseal_sql)
    package static let keyResealArchived = SQLFile("key_reseal_archived", PackageResources.key_reseal_archived_sql)
    package static let keyRetire = SQLFile("key_retire", PackageResources.key_retire_sql)
    package static let keyUse = SQLFile("key_use", PackageResources.key_use_sql)
    package static let providerAdmit = SQLFile("provider_admit", PackageResources.provider_admit_sql)
    package static let providerRegister = SQLFile("provider_register", PackageResources.provider_register_sql)
    package static let providerShow = SQLFile("provider_show", PackageResources.provider_show_sql)

    /// Transaction B of an exchange opens and ends in the same round trips as its statements; these
    /// two take no parameters and cannot be prepared in SQL, so they are no files.
    package static let exchangeOpen = SQLFile("exchange_open", "begin")
    package static let exchangeCommit = SQLFile("exchange_commit", "commit")
}

extension SQLFiles {
    static let vaultQueries: [SQLFile] = [
        .credentialDoubt,
        .credentialEvents,
        .credentialGiveUp,
        .credentialList,
        .credentialLock,
        .credentialPostpone,
        .credentialRead,
        .credentialRequest,
        .credentialShow,
        .credentialStanding,
        .credentialStore,
        .credentialSuspect,
        .credentialTakeDue,
        .exchangeBegin,
        .exchangeCancel,
        .exchangeFail,
        .exchangeHistory,
        .exchangeHold,
        .exchangePrune,
        .exchangeSave,
        .keyNextArchived,
        .keyNextRow,
        .keyRegister,
        .keyReseal,
        .keyResealArchived,
        .keyRetire,
        .keyUse,
        .providerAdmit,
        .providerRegister,
        .providerShow,
    ]
}
