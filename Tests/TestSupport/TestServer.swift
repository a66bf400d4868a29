import Foundation
import LeaseholdCore
import Logging
import Postgres
import SQLFiles
import Synchronization

/// The server that tests make their databases on.
final class TestServer: Sendable {
    private let url: String
    private let admin: PostgresPool
    private let templateTask = Mutex<Task<String, any Error>?>(nil)
    private let counter = Atomic<Int>(0)
    private let shelf = DatabaseShelf(limit: 16)

    /// One for the whole process; its few connections end with it.
    static var shared: TestServer {
        get throws { try instance.get() }
    }

    private static let instance = Result<TestServer, any Error> {
        guard let url = ProcessInfo.processInfo.environment["LEASEHOLD_TEST_DATABASE_URL"], !url.isEmpty else {
            throw TestSupportError(
                label: "no_test_database",
                message: "expected LEASEHOLD_TEST_DATABASE_URL to name a PostgreSQL server for tests, got nothing",
                hint: "run scripts/test, which starts a private server, or set the variable to a URL whose user "
                    + "may create databases"
            )
        }
        return TestServer(url: url)
    }

    private init(url: String) {
        self.url = url
        admin = PostgresPool(
            configuration: .patient(url: url, applicationName: "leasehold-test-admin"),
            // DROP DATABASE waits for a checkpoint; drops that run at the same time share one.
            size: 16,
            waitLimit: .seconds(600),
            logger: Logger(label: "test-admin") { _ in SwiftLogNoOpLogHandler() }
        )
    }

    /// - Parameter template: nil for an empty database.
    func withDatabase<R>(template: String?, _ body: (TestDatabase) async throws -> R) async throws -> R {
        let used = await shelf.take(wantsUsed: template == nil)
        let name: String
        do {
            name = if let used { used } else { try await makeDatabase(template: template ?? "template0") }
        } catch {
            _ = shelf.giveBack(nil)
            throw error
        }
        let database = TestDatabase(name: name, url: Self.url(url, database: name))
        let result: Result<R, any Error>
        do { result = .success(try await body(database)) } catch { result = .failure(error) }
        let leaked = await database.closePools()
        // A cancelled test must clean up too.
        let cleanUp = Task { try await finish(database, mayPassOn: template == nil) }
        try await cleanUp.value
        let value = try result.get()
        guard leaked == 0 else {
            throw TestSupportError(
                label: "leaked_connection",
                message: "expected every connection to be back in its pool at the end of the test, "
                    + "got \(leaked) still lent out"
            )
        }
        return value
    }

    private func makeDatabase(template: String) async throws -> String {
        let number = counter.add(1, ordering: .relaxed).newValue
        let name = "leasehold_test_\(Int(Date().timeIntervalSince1970))_\(getpid())_\(number)"
        try await run("create database \"\(name)\" template \"\(template)\"")
        return name
    }

    /// Passes the database on to the next test in line, or drops it.
    private func finish(_ database: TestDatabase, mayPassOn: Bool) async throws {
        var isEmptied = false
        if mayPassOn, shelf.wantsUsed {
            isEmptied = (try? await empty(database)) != nil
        }
        if shelf.giveBack(isEmptied ? database.name : nil) { return }
        try await run("drop database \"\(database.name)\" with (force)")
    }

    private func empty(_ database: TestDatabase) async throws {
        try await database.withOwnPool { pool in
            try await pool.withConnection { connection in
                _ = try await connection.query(
                    sql: """
                        select pg_terminate_backend(pid, 10000) from pg_stat_activity
                        where datname = current_database() and pid <> pg_backend_pid()
                        """
                )
                try await connection.run(script: Self.emptying)
            }
        }
    }

    private static let emptying = """
        do $$
        declare schema name;
        begin
            for schema in
                select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema'
            loop
                execute format('drop schema %I cascade', schema);
            end loop;
            create schema public;
        end $$
        """

    /// The name of the template, made by whichever process comes first.
    func template() async throws -> String {
        // Started once and awaited by all: the first caller's cancellation must not fail the others.
        let task = templateTask.withLock { task in
            let current = task ?? Task { try await makeTemplate() }
            task = current
            return current
        }
        return try await task.value
    }

    private func makeTemplate() async throws -> String {
        let name = "leasehold_template_\(fnv1a64(SQLFiles.migrations.map { $0.name + $0.text }.joined()))"
        return try await admin.withConnection { connection in
            // Held by the session, so that other processes wait; creating a database allows no
            // transaction.
            try await connection.query(sql: "select pg_advisory_lock(hashtext($1))", name)
            let result: Result<Void, any Error>
            do {
                try await self.removeLeftovers(connection)
                try await self.makeTemplate(name, connection)
                result = .success(())
            } catch {
                result = .failure(error)
            }
            try await connection.query(sql: "select pg_advisory_unlock(hashtext($1))", name)
            try result.get()
            return name
        }
    }

    private func makeTemplate(_ name: String, _ connection: PostgresConnection) async throws {
        let found = try await connection.query(sql: "select datistemplate from pg_database where datname = $1", name)
        if let isReady = try found.first?.decode(0, as: Bool.self) {
            if isReady { return }
            // Somebody was killed in the middle of making it.
            try await connection.query(sql: "drop database \"\(name)\" with (force)")
        }
        try await connection.query(sql: "create database \"\(name)\" template template0")
        let pool = PostgresPool(
            configuration: .patient(url: Self.url(url, database: name)),
            size: 1,
            logger: Logger(label: "test-template") { _ in SwiftLogNoOpLogHandler() }
        )
        do {
            try await SchemaMigrator(pool: pool, logger: pool.silentLogger).migrate()
        } catch {
            await pool.close()
            throw error
        }
        await pool.close()
        try await connection.query(sql: "alter database \"\(name)\" with is_template true allow_connections false")
    }

    /// Databases of test runs that were killed more than an hour ago.
    private func removeLeftovers(_ connection: PostgresConnection) async throws {
        let rows = try await connection.query(
            sql: """
                select datname from pg_database d
                where datname ~ '^leasehold_test_[0-9]+_'
                and split_part(datname, '_', 3)::bigint < extract(epoch from now()) - 3600
                and not exists (select from pg_stat_activity a where a.datname = d.datname)
                """
        )
        for row in rows {
            _ = try? await connection.query(sql: "drop database if exists \"\(row.decode(0, as: String.self))\"")
        }
    }

    private func run(_ sql: String) async throws {
        try await admin.withConnection { _ = try await $0.query(sql: sql) }
    }

    /// The same server, another database.
    static func url(_ url: String, database: String) -> String {
        guard let scheme = url.range(of: "://") else {
            return url.contains("=") ? "\(url) dbname=\(database)" : "dbname=\(database)"
        }
        let rest = url[scheme.upperBound...]
        let query = rest.firstIndex(of: "?").map { rest[$0...] } ?? ""
        let authority = rest.prefix { $0 != "/" && $0 != "?" }
        return "\(url[..<scheme.upperBound])\(authority)/\(database)\(query)"
    }
}

extension PostgresPool {
    fileprivate var silentLogger: Logger { Logger(label: "silent") { _ in SwiftLogNoOpLogHandler() } }
}
