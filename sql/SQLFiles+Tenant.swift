extension SQLFile {
    package static let tenantAdd = SQLFile("tenant_add", PackageResources.tenant_add_sql)
    package static let tenantList = SQLFile("tenant_list", PackageResources.tenant_list_sql)
    package static let tenantShow = SQLFile("tenant_show", PackageResources.tenant_show_sql)
    package static let tenantPause = SQLFile("tenant_pause", PackageResources.tenant_pause_sql)
    package static let tenantLimit = SQLFile("tenant_limit", PackageResources.tenant_limit_sql)
}

extension SQLFiles {
    static let tenantQueries: [SQLFile] = [.tenantAdd, .tenantList, .tenantShow, .tenantPause, .tenantLimit]
}
