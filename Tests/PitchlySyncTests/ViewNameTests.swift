import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@Suite("Names of typed views")
struct ViewNameTests {
    @Test("are the fields' own where they can be, else cut between characters and marked")
    func names() async throws {
        let family = "👩‍👩‍👧"
        let names = [
            "Name", "Name", "name", "_record_id", "_raw", "ctid", "tableoid", "select", "a\"b", "'; drop table x; --",
            String(repeating: "x", count: 300), String(repeating: "x", count: 299) + "y",
            String(repeating: family, count: 40), String(repeating: "é", count: 31) + "z", "", "  ", "line\nbreak",
            String(repeating: "w", count: 63),
        ]
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            try await world.setFields("acme", names.enumerated().map { .init(id: "fld\($0.offset)", name: $0.element) })
            #expect(try await world.refresh("acme") == ["Clients": "created"])
            let columns = try await world.columns("mirror_acme", "Clients").map { $0[0] }
            #expect(columns.count == names.count && Set(columns).count == names.count)
            for (name, column) in zip(names, columns) {
                #expect(column.utf8.count <= 63)
                let cut = column.split(separator: "~").first.map(String.init) ?? ""
                #expect(column == name || name.hasPrefix(cut) || cut == "unnamed", "\(name) became \(column)")
            }
            let kept = ["Name", "name", "ctid", "tableoid", "select", "a\"b", "'; drop table x; --", "line\nbreak"]
            for name in kept + [names[13], names[17]] { #expect(columns.contains(name)) }
            #expect(!columns.contains("_record_id") && !columns.contains("_raw"))
            #expect(columns[1].hasPrefix("Name~"))
            #expect(columns[12].hasPrefix(family) && !columns[12].unicodeScalars.contains("\u{FFFD}"))
        }
    }

    @Test("stay the same for a field whatever is added beside it later")
    func stability() async throws {
        try await ViewWorld.with { world in
            try await world.addTable("acme")
            try await world.setFields("acme", [.init(id: "a", name: "Name"), .init(id: "b", name: "Name")])
            try await world.refresh("acme")
            let before = try await world.columns("mirror_acme", "Clients").map { $0[0] }
            try await world.setFields(
                "acme",
                [.init(id: "c", name: "Name"), .init(id: "b", name: "Name"), .init(id: "a", name: "Name")]
            )
            try await world.refresh("acme")
            let after = try await world.columns("mirror_acme", "Clients").map { $0[0] }
            #expect(Array(after[1...].reversed()) == before)
            #expect(before[0] == "Name" && after[0] != "Name")
        }
    }

    @Test("are all different and at most 63 bytes, for names made to clash", arguments: [1, 2, 3] as [UInt64])
    func random(seed: UInt64) async throws {
        let random = RandomSource(seed: seed)
        let pieces = ["a", "~", "é", "👩‍👩‍👧", "x\u{301}", "\"", " ", "0"]
        var names: [String] = []
        for _ in 0..<150 {
            let length = Int(random.uniform(in: 0...80))
            let start =
                names.isEmpty || random.uniform(in: 0...1) < 0.5
                ? "" : names[Int(random.uniform(in: 0...1) * Double(names.count - 1))]
            names.append((0..<length).reduce(start) { text, _ in text + pieces[Int(random.uniform(in: 0...7.99))] })
        }
        try await ViewWorld.with { world in
            let ids = names.indices.map { "fld\($0)" }
            let first = try await world.sql("select leasehold.mirror_names($1, $2, '{a}') as names", ids, names).only
                .decode("names", as: [String].self)
            #expect(Set(first).count == names.count, "seed \(seed)")
            #expect(first.allSatisfy { (1...63).contains($0.utf8.count) && $0 != "a" }, "seed \(seed)")
            // Named again with the marked names among the wishes, they still do not clash.
            let wishes = Array(first.reversed())
            let second = try await world.sql("select leasehold.mirror_names($1, $2, '{}') as names", ids, wishes).only
                .decode("names", as: [String].self)
            #expect(second == wishes, "seed \(seed)")
        }
    }

    @Test("give every tenant a schema of its own, however alike the ids")
    func schemas() async throws {
        let long = String(repeating: "t", count: 127)
        let tenants = [
            "acme", "Acme", "acme-", "acme.x", "acme_x", "acme:x", "mirror_acme", long + "a", long + "b",
            String(long.prefix(56)), String(long.prefix(57)),
        ]
        try await ViewWorld.with { world in
            for tenant in tenants {
                try await world.addTable(tenant)
                try await world.setFields(tenant, [.init(id: "f", name: "Name")])
                try await world.put(tenant, record: "rec1", "{\"f\": {\"val\": \"\(tenant)\"}}")
                #expect(try await world.refresh(tenant) == ["Clients": "created"])
            }
            var schemas: Set<String> = []
            var roles: Set<String> = []
            for tenant in tenants {
                let schema = try #require(try await world.text("select leasehold.mirror_schema($1)", tenant))
                #expect(schema.utf8.count <= 63)
                schemas.insert(schema)
                roles.insert(try await world.text("select leasehold.tenant_dashboard_role_name($1)", tenant) ?? "")
                #expect(try await world.text("select \"Name\" from \"\(schema)\".\"Clients\"") == tenant)
            }
            #expect(schemas.count == tenants.count && roles.count == tenants.count)
            #expect(roles.allSatisfy { (1...63).contains($0.utf8.count) })
        }
    }

    @Test("follow a table that is renamed, also to the name another one had")
    func renamedTables() async throws {
        try await ViewWorld.with { world in
            for (id, name) in [("t1", "Clients"), ("t2", "Clients"), ("t3", "Deals")] {
                try await world.addTable("acme", id, name: name)
                try await world.setFields("acme", [.init(id: "f", name: "Name")], table: id)
                try await world.put("acme", id, record: "rec1", "{\"f\": {\"val\": \"\(id)\"}}")
            }
            let made = try await world.refresh("acme", nil)
            #expect(made.count == 3 && made["Clients"] == "created" && made["Deals"] == "created")
            let rename = "update leasehold.mirror_table set name = $2 where table_id = $1"
            try await world.sql(rename, "t1", "Deals")
            try await world.sql(rename, "t3", "Clients")
            for table in ["t1", "t2", "t3"] { try await world.refresh("acme", table) }
            try await expectNames(world, first: "Deals")
            // A plain swap, in one go.
            try await world.sql(rename, "t1", "Clients")
            try await world.sql(rename, "t2", "Other")
            try await world.sql(rename, "t3", "Deals")
            try await world.refresh("acme", nil)
            try await world.sql(rename, "t1", "Deals")
            try await world.sql(rename, "t3", "Clients")
            try await world.refresh("acme", nil)
            try await expectNames(world, first: "Deals")
        }
    }

    /// Every view is in step, has a name of its own and shows its own table.
    private func expectNames(_ world: ViewWorld, first: String) async throws {
        let rows = try await world.sql("select table_id, view_name, state from leasehold.mirror_view order by 1")
        #expect(try rows.map { try $0.decode("state", as: String.self) } == ["current", "current", "current"])
        let names = try rows.map { try $0.decode("view_name", as: String.self) }
        #expect(names[0] == first && Set(names).count == 3 && !names.contains { $0.contains("~moved~") })
        for (table, name) in zip(["t1", "t2", "t3"], names) {
            #expect(try await world.text("select \"Name\" from mirror_acme.\"\(name)\"") == table)
        }
    }
}
