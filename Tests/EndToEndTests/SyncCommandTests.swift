import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

extension EndToEndTests {
    @Suite struct SyncCommandTests {
        private func rows(_ answer: World.Answer) throws -> [[String: Any]] {
            try #require(
                try JSONSerialization.jsonObject(with: Data(answer.output.utf8)) as? [[String: Any]],
                "\(answer.output)\(answer.errors)"
            )
        }

        @Test func aTenantIsSyncedComparedAndWrittenBackFromTheCommandLine() async throws {
            try await World.with {
                $0.data.organizations = 1
                $0.data.recordsPerTable = 150...150
            } _: { world in
                let tenant = try await world.connectTenants()[0]
                try world.startWorker("one")
                let tables = try world.pitchly.organization(world.pitchly.organizationIDs[0]).tables

                let run = try await world.leasehold("sync", "run", "--tenant", tenant, "--json")
                #expect(run.status == 0, "\(run.errors)")
                let outcomes = try rows(run)
                #expect(outcomes.count == tables.count && outcomes.allSatisfy { $0["outcome"] as? String == "merged" })
                let status = try rows(try await world.leasehold("sync", "status", "--tenant", tenant, "--json"))
                #expect(status.allSatisfy { ($0["view"] as? String)?.hasPrefix("\"mirror_\(tenant)\".") == true })
                let equal = try await world.leasehold("sync", "diff", "--tenant", tenant)
                #expect(equal.status == 0, "\(equal.output)\(equal.errors)")

                try await writeBack(world, tenant, tables[0])
                try await confirm(world, tenant, tables[0])
                let doctor = try await world.leasehold("doctor", "pitchly", "--tenant", tenant)
                #expect(doctor.status == 0, "\(doctor.output)\(doctor.errors)")
            }
        }

        /// A push arrives at Pitchly, shows as a difference, and is in the mirror after the next sync.
        private func writeBack(_ world: World, _ tenant: String, _ table: FakeTable) async throws {
            let field = try #require(table.fields.first { $0.type == .text }).compositeName
            _ = try await world.pool.withConnection { connection in
                try await connection.query(
                    sql: """
                        select leasehold.push($1, $2, min(record_id), $3, 'k') from leasehold.mirror_record
                        where tenant_id = $1 and table_id = $2
                        """,
                    tenant,
                    table.id,
                    PostgresJSON(#"{"\#(field)": {"val": "from the outbox"}}"#)
                )
            }
            try await world.wait(for: "the push", "select count(*) from leasehold.push where state = 'done'") {
                $0 == 1
            }
            #expect(table.receivedWrites.count == 1)
            let pushes = try rows(try await world.leasehold("push", "list", "--tenant", tenant, "--json"))
            #expect(pushes.map { $0["state"] as? String } == ["done"])
            let diff = try await world.leasehold("sync", "diff", "--tenant", tenant, "--table", table.id, "--json")
            #expect(diff.status == 2, "\(diff.errors)")
            #expect(try rows(diff)[0]["changed"] as? String != "0")
            let run = try await world.leasehold("sync", "run", "--tenant", tenant, "--table", table.id)
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            let shown = try await world.count(
                """
                select count(*) from leasehold.mirror_record
                where tenant_id = '\(tenant)' and fields -> '\(field)' ->> 'val' = 'from the outbox'
                """
            )
            #expect(shown == 1)
        }

        /// A sync that would delete most of a table stops, says so, and goes on once it is confirmed.
        private func confirm(_ world: World, _ tenant: String, _ table: FakeTable) async throws {
            let ids = try world.pitchly.records(table: table.id).prefix(140).map { line in
                try #require(try JSONParser.parse(line)["id"].stringValue)
            }
            try world.pitchly.edit(table: table.id, ids.map { .delete(record: $0) })
            let stopped = try await world.leasehold("sync", "run", "--tenant", tenant, "--table", table.id)
            #expect(stopped.status == 1 && stopped.output.contains("suspicious"), "\(stopped.output)\(stopped.errors)")
            #expect(stopped.errors.contains("Try:   leasehold sync confirm --tenant \(tenant) --table \(table.id)"))
            try world.expectSuccess(
                try await world.leasehold("sync", "confirm", "--tenant", tenant, "--table", table.id)
            )
            let run = try await world.leasehold("sync", "run", "--tenant", tenant, "--table", table.id)
            #expect(run.status == 0, "\(run.output)\(run.errors)")
            let states = try rows(
                try await world.leasehold("sync", "history", "--tenant", tenant, "--table", table.id, "--json")
            ).compactMap { $0["state"] as? String }
            #expect(states.contains("suspicious") && states.first == "merged")
        }

        @Test func whatIsUnknownIsNamedWithACommandToTry() async throws {
            try await World.with {
                $0.data.organizations = 1
            } _: { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                for (arguments, part) in [
                    (["sync", "run", "--tenant", "nobody"], "known tenant"),
                    (["sync", "run", "--tenant", "acme", "--table", "nope"], "mirrored table"),
                    (["sync", "history", "--tenant", "acme", "--table", "nope"], "mirrored table"),
                    (["sync", "confirm", "--tenant", "acme", "--table", "nope"], "mirrored table"),
                    (["push", "show", "--tenant", "acme", "17"], "id of a push"),
                ] {
                    let answer = try await world.leasehold(arguments)
                    #expect(answer.status == 1 && answer.errors.contains("Error: "), "\(arguments)")
                    #expect(answer.errors.contains(part) && answer.errors.contains("Try:   "), "\(answer.errors)")
                }
            }
        }
    }
}
