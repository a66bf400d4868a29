import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

/// What errors say, and what they must never say.
@Suite struct ErrorTests {
    /// Stands for a token or a customer's data.
    private static let canary = "canary-7d1f"

    @Test func `no error text holds a bound value`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: Self.schema)
            for (sql, state) in Self.failures {
                let file = statement("test_failure", "$1 text value", sql)
                let error = try await postgresError { try await pool.query(file, Self.canary) }
                #expect(error.sqlState == state, "\(sql)")
                var dumped = ""
                dump(error, to: &dumped)
                for text in [
                    error.description, error.debugDescription, "\(error)", String(reflecting: error), dumped,
                    errorText(error), error.label,
                ] {
                    #expect(!text.contains(Self.canary), "\(sql): \(text)")
                }
                #expect(error.message.hasPrefix("test_failure failed: "))
            }
            #expect(!database.log.text.contains(Self.canary))
        }
    }

    private static let schema = """
        create table t (
            id text primary key, n integer, s text constraint s_short check (length(s) < 3), c char(2), d text not null
        );
        insert into t values ('\(canary)', 1, 'x', 'x', 'x');
        create table child (t_id text references t);
        create table shy (id text);
        alter table shy enable row level security;
        create domain small as text check (length(value) < 3);
        create function boom(value text) returns void language plpgsql as $$
        begin execute format('select * from %I', value); end $$;
        """

    /// Statements that fail because of the value, each with its SQLSTATE.
    private static let failures = [
        ("select $1::integer", "22P02"),
        ("select $1::uuid", "22P02"),
        ("select $1::jsonb", "22P02"),
        ("select $1::timestamptz", "22007"),
        ("select $1::regclass", "42P01"),
        ("select $1::regtype", "42601"),
        ("select boom($1)", "42P01"),
        ("insert into t (id, d) values ($1, 'x')", "23505"),
        ("insert into t (id, s, d) values ('1', $1, 'x')", "23514"),
        ("insert into t (id, c, d) values ('1', $1, 'x')", "22001"),
        ("insert into t (id, s) values ($1, null)", "23502"),
        ("insert into child values ($1 || 'y')", "23503"),
        ("select $1::small", "23514"),
        ("select set_config($1, 'x', false)", "42704"),
        ("select to_date($1, 'YYYY')", "22007"),
        ("select decode($1, 'hex')", "22023"),
        ("select current_setting($1)", "42704"),
        ("select nextval($1)", "42P01"),
        ("select xmlparse(document $1)", "2200M"),
    ]

    @Test func `names of tables, columns and constraints are kept`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(script: Self.schema)
            let duplicate = try await postgresError {
                try await pool.query(
                    statement("test_insert", "$1 text id", "insert into t (id, d) values ($1, 'x')"),
                    Self.canary
                )
            }
            #expect(duplicate.isServer(.uniqueViolation))
            #expect(duplicate.constraint == "t_pkey")
            #expect(duplicate.table == "t")
            #expect(duplicate.schema == "public")
            #expect(duplicate.label == "unique_violation")
            #expect(duplicate.statement == "test_insert")
            let missing = try await postgresError {
                try await pool.query(statement("test_null", "none", "insert into t (id) values ('2')"))
            }
            #expect(missing.column == "d")
        }
    }

    @Test func `an error that a function raises keeps its text and hint`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            try await pool.run(
                script: """
                    create function refuse() returns void language plpgsql as $$
                    begin
                        raise exception 'expected a known tenant' using hint = 'leasehold tenants add', errcode = 'LH001';
                    end $$;
                    """
            )
            let error = try await postgresError {
                _ = try await pool.query(statement("test_refuse", "none", "select refuse()"))
            }
            #expect(error.sqlState == "LH001")
            #expect(error.message.contains("expected a known tenant"))
            #expect(error.hint == "leasehold tenants add")
            #expect(error.debugDescription.contains("PL/pgSQL function refuse() line 3 at RAISE"))
        }
    }

    @Test func `two statements at once on one connection are refused`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 2)
            try await pool.withConnection { connection in
                let pid = await connection.backendPID
                let first = Task { try await connection.query(sql: "select pg_sleep(600)") }
                try await until(pool, "exists (select from pg_stat_activity where pid = \(pid) and state = 'active')")
                let error = try await postgresError { try await connection.query(sql: "select 2") }
                #expect(error.code == .connectionBusy)
                #expect(error.effect == .none)
                first.cancel()
                _ = await first.result
            }
        }
    }

    @Test func `COPY through query is refused and the connection given up`() async throws {
        try await withEmptyDatabase { database in
            let pool = database.pool(size: 1)
            let error = try await postgresError { try await pool.run(script: "copy (select 1) to stdout") }
            #expect(error.code == .misuse)
            #expect(pool.idleCount == 0)
            #expect(try await pool.value("select 1", as: Int.self) == 1)
        }
    }

    @Test(arguments: [
        "postgresql://user:hunter2%zz@localhost/db",
        "postgresql://user:hunter2@localhost/db?nonsense=hunter2",
        "host=localhost password=hun ter2hunter2",
        "host=localhost password='hunter2",
        "postgresql://user:p@hunter2@localhost:1/db",
        "postgresql://user:p/hunter2@localhost:1/db",
        "postgresql://user:p:hunter2@localhost:1/db",
        "postgresql://user:p#hunter2@127.0.0.1:1/db",
        "postgresql://user:p?hunter2@127.0.0.1:1/db",
        "postgresql://user:hunter2@127.0.0.1:1/db",
        "host=127.0.0.1 port=hunter2 password=hunter2",
        "host=127.0.0.1 port=1 dbname=x password=hunter2 sslmode=hunter2",
    ])
    func `no error holds a piece of the password of a URL`(url: String) async throws {
        var configuration = PostgresConfiguration(url: url)
        configuration.connectTimeout = .seconds(5)
        let log = CapturedLog()
        let pool = PostgresPool(configuration: configuration, size: 1, logger: log.logger())
        let error = try await postgresError { _ = try await pool.withConnection { await $0.backendPID } }
        await pool.close()
        var dumped = ""
        dump(error, to: &dumped)
        dump(configuration, to: &dumped)
        for text in [error.description, error.debugDescription, dumped, "\(configuration)", log.text] {
            #expect(!text.contains("hunter2"), "\(text)")
            #expect(!text.contains("ter2"), "\(text)")
        }
        #expect(error.code == .invalidURL || error.code == .cannotConnect)
        #expect(error.hint != nil)
    }

    @Test func `a server that is not there, a wrong database and a wrong user each say what to do`() async throws {
        let nobody = try await connectError("postgresql://postgres@127.0.0.1:1/x")
        #expect(nobody.label == "database_unreachable")
        #expect(nobody.message.contains("port 1"))
        #expect(nobody.hint?.contains("pg_isready") == true)
        try await withEmptyDatabase { database in
            let wrong = try await connectError(database.url.replacing(database.name, with: "no_such_database"))
            #expect(wrong.message.contains("database \"no_such_database\" does not exist"))
            #expect(wrong.hint?.contains("createdb") == true)
        }
    }

    private func connectError(_ url: String) async throws -> PostgresError {
        let pool = PostgresPool(configuration: .init(url: url), size: 1, logger: CapturedLog().logger())
        let error = try await postgresError { _ = try await pool.withConnection { await $0.backendPID } }
        await pool.close()
        return error
    }
}
