import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

@Suite struct MigratorTests {
    private let first = SQLFile(
        name: "v0001_a",
        text: "create table leasehold.a (id integer); insert into leasehold.a values (1)"
    )
    private let second = SQLFile(name: "v0002_b", text: "create table leasehold.b (id integer)")

    @Test func `an empty database is brought to the newest version, and a second run does nothing`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let migrator = migrator(pool, [first, second])
            #expect(try await migrator.currentVersion() == 0)
            await #expect(throws: SchemaError.tooOld(database: 0, program: 2)) { try await migrator.check() }
            #expect(try await migrator.migrate() == ["v0001_a", "v0002_b"])
            #expect(try await migrator.migrate() == [])
            #expect(try await migrator.currentVersion() == 2)
            try await migrator.check()
        }
    }

    @Test func `the program's own migrations apply to an empty database`() async throws {
        try await withEmptyDatabase { database in
            let migrator = SchemaMigrator(pool: database.pool(), logger: database.log.logger())
            #expect(try await migrator.migrate().count == SQLFiles.migrations.count)
            try await migrator.check()
        }
    }

    @Test func `a database that is behind says which command helps`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            try await migrator(pool, [first]).migrate()
            let error = await #expect(throws: SchemaError.self) { try await migrator(pool, [first, second]).check() }
            #expect(error == .tooOld(database: 1, program: 2))
            #expect(error?.hint == "leasehold migrate")
        }
    }

    @Test func `a database that is ahead is refused, by check and by migrate`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            try await migrator(pool, [first, second]).migrate()
            let old = migrator(pool, [first])
            let expected = SchemaError.tooNew(database: 2, newestName: "v0002_b", program: 1)
            await #expect(throws: expected) { try await old.check() }
            await #expect(throws: expected) { try await old.migrate() }
            #expect(expected.description.contains("version 2 (v0002_b)"))
            #expect(expected.description.contains("upgrade this program"))
        }
    }

    @Test func `an edited migration is noticed`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            try await migrator(pool, [first]).migrate()
            let edited = SQLFile(name: "v0001_a", text: first.text + " ")
            await #expect(throws: SchemaError.edited("v0001_a", databaseName: "v0001_a")) {
                try await migrator(pool, [edited, second]).migrate()
            }
            let renamed = SQLFile(name: "v0001_z", text: first.text)
            await #expect(throws: SchemaError.edited("v0001_z", databaseName: "v0001_a")) {
                try await migrator(pool, [renamed]).check()
            }
        }
    }

    @Test func `a migration that fails leaves the version before it`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            let broken = SQLFile(name: "v0002_broken", text: "create table leasehold.half (id integer); select 1 / 0")
            let error = try await postgresError { _ = try await migrator(pool, [first, broken]).migrate() }
            #expect(error.statement == "v0002_broken")
            #expect(try await migrator(pool, [first]).currentVersion() == 1)
            #expect(try await pool.value("select to_regclass('leasehold.half') is null", as: Bool.self))
        }
    }

    @Test func `ten programs that migrate at once apply everything once`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 10)
            let names = try await withThrowingTaskGroup(of: [String].self) { group in
                for _ in 0..<10 { group.addTask { try await migrator(pool, [first, second]).migrate() } }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(names.sorted() == ["v0001_a", "v0002_b"])
            #expect(try await pool.value("select count(*) from leasehold.a", as: Int.self) == 1)
        }
    }

    @Test func `a lock that somebody holds ends the migration with a reason`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool()
            try await migrator(pool, [first]).migrate()
            let altering = SQLFile(name: "v0002_alter", text: "alter table leasehold.a add n integer")
            try await pool.withTransaction { connection in
                _ = try await connection.query(sql: "lock table leasehold.a in access share mode")
                var hurried = migrator(pool, [first, altering])
                hurried.lockTimeout = .milliseconds(50)
                let error = try await postgresError { _ = try await hurried.migrate() }
                #expect(error.isServer(.lockNotAvailable))
                #expect(error.statement == "v0002_alter")
            }
        }
    }

    private func migrator(_ pool: PostgresPool, _ files: [SQLFile]) -> SchemaMigrator {
        SchemaMigrator(pool: pool, logger: CapturedLog().logger(), files: files)
    }
}
