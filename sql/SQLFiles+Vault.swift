extension SQLFiles {
    static let vaultQueries: [SQLFile] = []
}
