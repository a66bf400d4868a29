import Foundation
import Postgres
import TestSupport
import Testing

@Suite("The dashboard role of a tenant")
struct TenantDashboardTests {
    private func withTwoTenants(_ body: (ViewWorld) async throws -> Void) async throws {
        try await ViewWorld.with { world in
            for tenant in ["acme", "rival"] {
                try await world.addTable(tenant)
                try await world.setFields(
                    tenant,
                    [.init(id: "f", name: "Name"), .init(id: "d", name: "Day", type: "date")]
                )
                for number in 1...20 {
                    let cells = #"{"f": {"val": "\#(tenant) \#(number)"}, "d": {"val": "2024-01-01"}}"#
                    try await world.put(tenant, record: "\(tenant)-\(number)", cells)
                }
                try await world.refresh(tenant)
            }
            try await body(world)
        }
    }

    private func state(_ sql: String, _ connection: PostgresConnection) async throws -> String? {
        do {
            try await connection.query(sql: sql)
            return nil
        } catch let error as PostgresError {
            return error.sqlState
        }
    }

    @Test("reads its own rows, logged in, and nothing of another tenant or of the mirror itself")
    func ownRowsOnly() async throws {
        try await withTwoTenants { world in
            try await world.withLogin(of: "acme") { connection in
                let rows = try await connection.query(
                    sql: "select _record_id, \"Name\", \"Day\" from mirror_acme.\"Clients\""
                )
                #expect(rows.count == 20)
                #expect(try rows.allSatisfy { try $0.decode("Name", as: String.self).hasPrefix("acme ") })
                for sql in [
                    "select * from mirror_rival.\"Clients\"", "select * from leasehold.mirror_record",
                    "select * from leasehold.mirror_view", "select * from leasehold.mirror_changes('rival', 'tbl', 0)",
                    "select * from leasehold.mirror_view_refresh('rival')",
                    "select leasehold.tenant_dashboard_role('rival')",
                    "create table mirror_acme.mine (a int)", "drop view mirror_acme.\"Clients\"",
                    "delete from mirror_acme.\"Clients\"",
                    "insert into mirror_acme.\"Clients\" (_record_id) values ('x')",
                    "create or replace view mirror_acme.\"Clients\" as select 1", "set role leasehold_worker",
                ] {
                    #expect(try await state(sql, connection) == "42501", "\(sql)")
                }
            }
        }
    }

    @Test("learns nothing of other tenants' rows through functions of its own")
    func leakyFunction() async throws {
        try await withTwoTenants { world in
            try await world.withLogin(of: "acme") { connection in
                try await connection.run(
                    script: """
                        create temp table seen (record text);
                        create function pg_temp.leak(record text) returns boolean language plpgsql cost 0.0000001 as
                        'begin insert into seen values (record); return true; end';
                        set enable_indexscan = off; set enable_bitmapscan = off;
                        """
                )
                _ = try await connection.query(
                    sql: "select 1 from mirror_acme.\"Clients\" where pg_temp.leak(_record_id)"
                )
                let seen = try await connection.query(
                    sql: "select count(*) as all, count(*) filter (where record like 'rival%') as others from seen"
                ).only
                #expect(try seen.decode("all", as: Int64.self) == 20)
                #expect(try seen.decode("others", as: Int64.self) == 0)
            }
        }
    }

    @Test("reads views that are made or changed after it was granted")
    func laterViews() async throws {
        try await withTwoTenants { world in
            try await world.withLogin(of: "acme") { connection in
                try await world.setFields("acme", [.init(id: "d", name: "Renamed")])
                try await world.addTable("acme", "tbl2", name: "Deals")
                try await world.setFields("acme", [.init(id: "x", name: "Fee")], table: "tbl2")
                #expect(try await world.refresh("acme", nil) == ["Clients": "changed", "Deals": "created"])
                #expect(try await state("select \"Renamed\" from mirror_acme.\"Clients\"", connection) == nil)
                #expect(try await state("select \"Fee\" from mirror_acme.\"Deals\"", connection) == nil)
            }
        }
    }

    @Test("may be asked for before the first sync, and only for a tenant that is there")
    func beforeTheFirstSync() async throws {
        try await ViewWorld.with { world in
            try await world.sql("insert into leasehold.tenant (tenant_id, name) values ('acme', 'T')")
            try await world.withLogin(of: "acme") { connection in
                try await world.sql(
                    "insert into leasehold.mirror_table (tenant_id, table_id, workspace_id, name) values ('acme', 'tbl', 'w', 'C')"
                )
                try await world.setFields("acme", [.init(id: "f", name: "Name")])
                #expect(try await world.refresh("acme") == ["C": "created"])
                #expect(try await state("select \"Name\" from mirror_acme.\"C\"", connection) == nil)
            }
            let error = await #expect(throws: PostgresError.self) {
                try await world.sql("select leasehold.tenant_dashboard_role('nobody')")
            }
            #expect(error?.sqlState == "LH001")
        }
    }

    @Test("belongs to one database: another one's tenant of that name has another role")
    func oneDatabase() async throws {
        try await ViewWorld.with { world in
            let name = try await world.text("select leasehold.tenant_dashboard_role_name('acme')")
            let long = try await world.text("select leasehold.tenant_dashboard_role_name(repeat('a', 100))")
            #expect(name?.contains("@\(world.database.name)") == true || name?.contains("#") == true)
            #expect(long?.utf8.count == 63)
        }
    }
}
