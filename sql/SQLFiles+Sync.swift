extension SQLFiles {
    static let syncQueries: [SQLFile] = []
}
