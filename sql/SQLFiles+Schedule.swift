extension SQLFile {
    package static let scheduleAdd = SQLFile("schedule_add", PackageResources.schedule_add_sql)
    package static let scheduleFire = SQLFile("schedule_fire", PackageResources.schedule_fire_sql)
    package static let scheduleList = SQLFile("schedule_list", PackageResources.schedule_list_sql)
    package static let schedulePause = SQLFile("schedule_pause", PackageResources.schedule_pause_sql)
    package static let schedulePreview = SQLFile("schedule_preview", PackageResources.schedule_preview_sql)
    package static let scheduleRemove = SQLFile("schedule_remove", PackageResources.schedule_remove_sql)
    package static let scheduleResume = SQLFile("schedule_resume", PackageResources.schedule_resume_sql)
    package static let scheduleTry = SQLFile("schedule_try", PackageResources.schedule_try_sql)
    package static let scheduleTurns = SQLFile("schedule_turns", PackageResources.schedule_turns_sql)
}

extension SQLFiles {
    static let scheduleQueries: [SQLFile] = [
        .scheduleAdd, .scheduleFire, .scheduleList, .schedulePause, .schedulePreview, .scheduleRemove, .scheduleResume,
        .scheduleTry, .scheduleTurns,
    ]
}
