extension SQLFiles {
    static let queueQueries: [SQLFile] = []
}
