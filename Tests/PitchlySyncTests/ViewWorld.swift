import Foundation
import Postgres
import SQLFiles
import TestSupport
import Testing

/// Mirrors written by hand in a database of one test's own, and the typed views over them.
struct ViewWorld: Sendable {
    let database: TestDatabase
    let pool: PostgresPool

    static func with(_ body: (ViewWorld) async throws -> Void) async throws {
        try await withDatabase { database in
            try await body(ViewWorld(database: database, pool: database.pool(size: 3)))
        }
    }

    @discardableResult
    func sql(_ text: String, _ parameters: (any PostgresEncodable)?...) async throws -> PostgresRows {
        try await pool.withConnection { connection in
            switch parameters.count {
            case 0: try await connection.query(sql: text)
            case 1: try await connection.query(sql: text, parameters[0])
            case 2: try await connection.query(sql: text, parameters[0], parameters[1])
            case 3: try await connection.query(sql: text, parameters[0], parameters[1], parameters[2])
            default: try await connection.query(sql: text, parameters[0], parameters[1], parameters[2], parameters[3])
            }
        }
    }

    func text(_ sql: String, _ parameters: (any PostgresEncodable)?...) async throws -> String? {
        let rows =
            switch parameters.count {
            case 0: try await self.sql(sql)
            case 1: try await self.sql(sql, parameters[0])
            default: try await self.sql(sql, parameters[0], parameters[1])
            }
        return try rows.only.decode(0, as: String?.self)
    }

    func addTable(_ tenant: String, _ id: String = "tbl", name: String = "Clients") async throws {
        try await sql("insert into leasehold.tenant (tenant_id, name) values ($1, 'T') on conflict do nothing", tenant)
        try await sql(
            "insert into leasehold.mirror_table (tenant_id, table_id, workspace_id, name) values ($1, $2, 'wks', $3)",
            tenant,
            id,
            name
        )
    }

    struct Field {
        let id: String
        let name: String
        var type = "text"
    }

    /// Makes the fields of a table these, in this order, as a sync does.
    func setFields(_ tenant: String, _ fields: [Field], table: String = "tbl") async throws {
        let shapes = fields.map { ["id": $0.id, "name": $0.name, "type": $0.type] }
        let json = String(decoding: try JSONEncoder().encode(shapes), as: UTF8.self)
        try await pool.query(.mirrorFieldPut, tenant, table, PostgresJSON(json))
    }

    /// - Parameter fields: a JSON object from field id to the cell.
    func put(_ tenant: String, _ table: String = "tbl", record: String, _ fields: String) async throws {
        try await sql(
            """
            insert into leasehold.mirror_record (tenant_id, table_id, record_id, content_hash, fields, changed_at)
            values ($1, $2, $3, '\\x00', $4, now())
            """,
            tenant,
            table,
            record,
            PostgresJSON(fields)
        )
    }

    /// What became of the views that were touched, by their names.
    @discardableResult
    func refresh(_ tenant: String, _ table: String? = "tbl") async throws -> [String: String] {
        var outcomes: [String: String] = [:]
        for row in try await pool.query(.mirrorViewRefresh, tenant, table) {
            outcomes[try row.decode("view_name", as: String?.self) ?? ""] = try row.decode("outcome")
        }
        return outcomes
    }

    /// Names and types of a view's columns for fields, in order.
    func columns(_ schema: String, _ view: String) async throws -> [[String]] {
        try await sql(
            """
            select a.attname as name, format_type(a.atttypid, a.atttypmod) as type
            from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
            where n.nspname = $1 and c.relname = $2 and a.attnum > 4 and not a.attisdropped
            order by a.attnum
            """,
            schema,
            view
        ).map { [try $0.decode("name", as: String.self), try $0.decode("type", as: String.self)] }
    }

    /// Runs `body` with the connection of a login that is granted the dashboard role of `tenant` and
    /// nothing else. Both roles are gone afterwards: they belong to the whole server.
    func withLogin(of tenant: String, _ body: (PostgresConnection) async throws -> Void) async throws {
        let role = try #require(try await text("select leasehold.tenant_dashboard_role($1)", tenant))
        let quoted = "\"\(role)\""
        let login = "login_\(database.name)"
        try await sql("create role \"\(login)\" login in role \(quoted)")
        let url = try #require(URLComponents(string: database.url))
        var loginURL = url
        loginURL.user = login
        let own = PostgresPool(
            configuration: .patient(url: loginURL.string, applicationName: "login"),
            size: 1,
            logger: database.log.logger("login")
        )
        let result: Result<Void, any Error>
        do {
            try await own.withConnection { try await body($0) }
            result = .success(())
        } catch {
            result = .failure(error)
        }
        await own.close()
        for name in ["\"\(login)\"", quoted] {
            try await sql("drop owned by \(name)")
            try await sql("drop role \(name)")
        }
        try result.get()
    }
}
