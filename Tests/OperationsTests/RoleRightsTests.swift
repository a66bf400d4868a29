import Foundation
import LeaseholdCore
import Logging
import Postgres
import TestSupport
import Testing

/// Logging in as each role and trying everything gives exactly the table in `sql/README.md`.
@Suite struct RoleRightsTests {
    private static let table = Result<RightsTable, any Error> {
        RightsTable(markdown: try Checkout.text("sql/README.md"))
    }

    /// Runs `body` as a login of its own that is a member of `role` and of nothing else.
    private func withLogin(
        _ role: String,
        _ database: TestDatabase,
        _ admin: PostgresPool,
        _ body: (PostgresPool) async throws -> Void
    ) async throws {
        let login = "leasehold_test_\(UUID().uuidString.prefix(8).lowercased())"
        try await admin.withConnection {
            try await $0.run(script: "create role \(login) login password '\(login)' in role \(role)")
        }
        let separator = database.url.contains("?") ? "&" : "?"
        let pool = PostgresPool(
            configuration: .patient(url: "\(database.url)\(separator)user=\(login)&password=\(login)"),
            size: 1,
            logger: database.log.logger("login")
        )
        let result: Result<Void, any Error>
        do { result = .success(try await body(pool)) } catch { result = .failure(error) }
        await pool.close()
        try await admin.withConnection { try await $0.run(script: "drop owned by \(login); drop role \(login)") }
        try result.get()
    }

    /// The SQLSTATE with which `sql` fails in a transaction that is rolled back; nil if it does not.
    private func failure(_ sql: String, _ pool: PostgresPool) async throws -> String? {
        try await pool.withConnection { connection in
            var state: String?
            do {
                try await connection.run(script: "begin; set local statement_timeout = '10s'; \(sql); rollback")
            } catch let error as PostgresError {
                state = error.sqlState ?? "no answer"
                try await connection.run(script: "rollback")
            }
            return state
        }
    }

    private static let roles = [
        "leasehold_worker", "leasehold_vault", "leasehold_server", "leasehold_enqueuer", "leasehold_dashboard",
    ]

    @Test(arguments: roles)
    func aRoleMayDoWhatTheTableSays(role: String) async throws {
        let table = try Self.table.get()
        #expect(table.roles == Self.roles)
        try await withDatabase { database in
            let admin = database.pool(size: 2)
            try await withLogin(role, database, admin) { pool in
                let relations = try await admin.withConnection {
                    try await $0.query(sql: Self.relations).decode((String, String, String).self)
                }
                try #require(relations.count > 40)
                for (kind, name, column) in relations {
                    let expected = try #require(table.right(of: role, on: kind, name), "no row for \(kind) \(name)")
                    let full = (kind == "view" ? "leasehold_dashboard." : "leasehold.") + name
                    let tries = [
                        ("read", "select from \(full) limit 0"), ("write", "insert into \(full) default values"),
                        ("write", "update \(full) set \(column) = default where false"),
                        ("write", "delete from \(full) where false"),
                    ]
                    for (right, sql) in tries {
                        // Whatever else stops it (a constraint) comes after the rights were looked at.
                        let isAllowed = !["42501", "55000", "0A000"].contains(try await failure(sql, pool))
                        #expect(isAllowed == (expected == "write" || expected == right), "\(role): \(sql)")
                    }
                    #expect(try await failure("truncate \(full)", pool) != nil, "\(role) truncates \(full)")
                }
                try await tryFunctions(role, table, admin, pool)
            }
        }
    }

    private func tryFunctions(
        _ role: String,
        _ table: RightsTable,
        _ admin: PostgresPool,
        _ pool: PostgresPool
    ) async throws {
        let functions = try await admin.withConnection {
            try await $0.query(sql: Self.functions, role).decode((String, String, Bool, Bool, String).self)
        }
        try #require(functions.count > 60)
        for (name, call, mayCall, isTrigger, kind) in functions {
            let expected = try #require(table.right(of: role, on: kind, name), "no row for \(kind) \(name)")
            #expect(mayCall == (expected == "call"), "\(role): \(name)")
            if !mayCall, !isTrigger {
                #expect(try await failure(call, pool) == "42501", "\(role): \(call)")
            }
        }
    }

    /// Kind, name and a column of every table and view: one that `update` may name, because a column that
    /// is generated is refused before the rights are looked at.
    private static let relations = """
        select case c.relnamespace when 'leasehold'::regnamespace then 'table' else 'view' end, c.relname::text,
            (select quote_ident(a.attname) from pg_attribute as a where a.attrelid = c.oid and a.attnum > 0
                and not a.attisdropped
            order by not pg_column_is_updatable(c.oid, a.attnum, false), a.attgenerated <> '', exists (
                    select from pg_attribute as base where base.attname = a.attname and base.attidentity = 'a'), a.attnum
            limit 1)
        from pg_class as c
        where c.relnamespace in ('leasehold'::regnamespace, 'leasehold_dashboard'::regnamespace)
            and c.relkind in ('r', 'p', 'v') and not c.relispartition
        order by 1, 2
        """

    /// Name, a statement that calls it with nulls, whether the role may call it by name, whether it is a trigger's, and its kind.
    private static let functions = """
        select p.proname::text, format('select %s(%s) from (select %s offset 0) as given', p.oid::regproc,
                -- Not constants: a strict function of a null constant is never called.
                array_to_string(array(
                    select 'given.a' || n from generate_series(1, p.pronargs) as n), ', '),
                array_to_string(array(
                    select format('null::%s as a%s', format_type(t, null), n)
                    from unnest(p.proargtypes::oid[]) with ordinality as u (t, n)), ', ')),
            has_function_privilege($1, p.oid, 'execute') and has_schema_privilege($1, 'leasehold', 'usage'),
            p.prorettype = 'trigger'::regtype, case p.provolatile when 'i' then 'pure' else 'function' end
        from pg_proc as p where p.pronamespace = 'leasehold'::regnamespace
        order by 1
        """

    @Test func anEnqueuerEnqueuesForASleepingWorkerAndReadsNothing() async throws {
        try await withDatabase { database in
            let admin = database.pool(size: 2)
            try await admin.withConnection {
                try await $0.run(
                    script: """
                        insert into leasehold.tenant (tenant_id) values ('acme');
                        select leasehold.worker_register('\(OperationsWorld.worker)', 'w', 'h', 1, '1', '{default}', '{}', 1, 60);
                        select leasehold.worker_sleep('\(OperationsWorld.worker)', 600);
                        """
                )
            }
            try await withLogin("leasehold_enqueuer", database, admin) { pool in
                let job = try await pool.withConnection {
                    try await $0.query(sql: "select leasehold.enqueue('acme', 'x.y', unique_key => 'k')").only
                        .decode(0, as: Int64.self)
                }
                #expect(
                    try await failure(
                        "select * from leasehold.enqueue_many('[{\"tenant\": \"acme\", \"kind\": \"x.y\"}]')",
                        pool
                    ) == nil
                )
                #expect(try await failure("select from leasehold.job", pool) == "42501")
                let answer = try await pool.withConnection {
                    try await $0.query(sql: "select leasehold.job_cancel($1)", job).only.decode(0, as: String.self)
                }
                #expect(answer == "cancelled")
            }
        }
    }

    @Test func theOwnerMigratesWithoutBeingSuperuser() async throws {
        try await withEmptyDatabase { database in
            let admin = database.pool(size: 1)
            try await admin.withConnection { try await $0.run(script: try Checkout.text("deploy/postgres/roles.sql")) }
            try await withLogin("leasehold_owner", database, admin) { pool in
                try await SchemaMigrator(pool: pool, logger: database.log.logger("migrate")).migrate()
                // As an owner that is no superuser, a partition is made and dropped, and a view is read.
                for sql in [
                    "select leasehold.history_prepare('2020-01-01', 1)", "select * from leasehold.prune()",
                    "select * from leasehold_dashboard.overview", "select leasehold.roles_apply()",
                ] {
                    #expect(try await failure(sql, pool) == nil, "\(sql)")
                }
                // For the worker, which owns nothing.
                try await withLogin("leasehold_worker", database, admin) { worker in
                    for sql in ["select leasehold.history_prepare('2020-01-01', 1)", "select * from leasehold.prune()"]
                    {
                        let state = try await failure(sql, worker)
                        #expect(state == nil, "\(sql)")
                    }
                }
            }
        }
    }
}
