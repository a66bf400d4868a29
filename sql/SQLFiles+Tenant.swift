extension SQLFile {
    /// Adds a tenant, or renames the one that is there.
    package static let tenantAdd = SQLFile("tenant_add", PackageResources.tenant_add_sql)
}

extension SQLFiles {
    static let tenantQueries: [SQLFile] = [.tenantAdd]
}
