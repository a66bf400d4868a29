package import Logging
package import Postgres
package import TestSupport

extension PrivatePostgres {
    /// A standby stays as it is from now on, whatever its primary commits.
    package func stopReceiving(logger: Logger) async throws {
        try await withPool(logger) { pool in
            try await pool.withConnection { connection in
                try await connection.run(script: "alter system set primary_conninfo = ''")
                try await connection.run(script: "select pg_reload_conf()")
                let query = "select count(*) from pg_stat_wal_receiver"
                while try await connection.query(sql: query).only.decode(0, as: Int64.self) > 0 {
                    try await ContinuousClock().sleep(for: .milliseconds(20))
                }
            }
        }
    }

    /// One connection, not by way of a stage.
    package func withPool<Result>(
        _ logger: Logger,
        _ body: (PostgresPool) async throws -> Result
    ) async throws -> Result {
        let pool = PostgresPool(configuration: configuration(), size: 1, logger: logger)
        do {
            let result = try await body(pool)
            await pool.close()
            return result
        } catch {
            await pool.close()
            throw error
        }
    }
}
