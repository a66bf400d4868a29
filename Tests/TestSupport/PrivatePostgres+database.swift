import Postgres

/// Runs `body` with the one database of a private server, with the whole schema.
package func withDatabase<R>(
    on server: PrivatePostgres,
    _ body: (TestDatabase) async throws -> R
) async throws -> R {
    let database = TestDatabase(name: "postgres", url: server.url())
    do {
        try await database.withOwnPool { pool in
            try await SchemaMigrator(pool: pool, logger: database.log.logger("migrate")).migrate()
        }
        let result = try await body(database)
        _ = await database.closePools()
        return result
    } catch {
        _ = await database.closePools()
        throw error
    }
}
