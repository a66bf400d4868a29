import Postgres

/// Runs `sql` by PostgreSQL's own client, as a service in any language would by its own.
///
/// - Throws: if psql ends with an error.
package func psql(_ url: String, _ sql: String) async throws {
    try await PostgresPrograms.find().run("psql", "--no-psqlrc", "--quiet", "--dbname=\(url)", "--command=\(sql)")
}

extension TestDatabase {
    /// Where the server's unix socket lies.
    package func socket() async throws -> (folder: String, port: Int) {
        var place = (folder: "", port: 0)
        try await withOwnPool { pool in
            let folder = "split_part(current_setting('unix_socket_directories'), ',', 1)"
            place = try await pool.withConnection { connection in
                let sql = "select \(folder), current_setting('port')::integer"
                return try await connection.query(sql: sql).only.decode((String, Int).self)
            }
        }
        return place
    }
}
