import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

extension EndToEndTests {
    /// Bad input gets a clear error, names what to do, and loses nothing.
    @Suite struct BadInputTests {
        @Test func anUnknownTenantIsNamedWithTheCommandThatAddsIt() async throws {
            try await World.with { world in
                let answer = try await world.leasehold("enqueue", "nobody", "pitchly.sync")
                #expect(answer.status == 1)
                #expect(answer.errors.contains("nobody"))
                #expect(answer.errors.contains("leasehold tenants add nobody"))
            }
        }

        @Test(arguments: ["{", "[1]", "17", "null", #"{"a": 1} x"#])
        func malformedArgsAreRefused(args: String) async throws {
            try await World.with { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                let answer = try await world.leasehold("enqueue", "acme", "pitchly.sync", "--args", args)
                #expect(answer.status == 1)
                #expect(answer.errors.contains("JSON object"))
                #expect(try await world.count("select count(*) from leasehold.job") == 0)
            }
        }

        @Test func oversizedArgsAreRefusedAndNotShown() async throws {
            try await World.with { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                let file = world.folder.appending(path: "args.sql")
                let big = (0..<90_000).map { "\"k\($0)\":\"\(UInt64.random(in: .min ... .max))\"" }.joined(
                    separator: ","
                )
                try Data("{\(big)}".utf8).write(to: file)
                let error = await #expect(throws: (any Error).self) {
                    try await world.pool.withConnection { connection in
                        try await connection.query(
                            sql: "select leasehold.enqueue('acme', 'report.build', $1::text::jsonb)",
                            "{\(big)}"
                        )
                    }
                }
                let text = errorText(try #require(error))
                #expect(text.count < 2_000)
                #expect(try await world.count("select count(*) from leasehold.job") == 0)
            }
        }

        @Test func aTenantWithoutCredentialKeepsItsJob() async throws {
            try await World.with { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                try await world.enqueue(1, "pitchly.sync", for: ["acme"])
                try world.startWorker("one")
                try await world.wait(
                    for: "the job to be parked",
                    "select count(*) from leasehold.job where state = 'parked'"
                ) { $0 == 1 }
                let shown = try await world.leasehold("jobs", "list", "--state", "parked", "--json")
                #expect(shown.output.contains("\"parked\""))
                let text = try await world.count(
                    "select count(*) from leasehold.job where attempt = 0 and last_error like '%tenants connect acme%'"
                )
                #expect(text == 1)
            }
        }

        @Test func anUnknownKindIsKeptAndSaysWhatIsKnown() async throws {
            try await World.with { world in
                try world.expectSuccess(try await world.leasehold("tenants", "add", "acme"))
                try world.startWorker("one")
                try await world.wait(for: "the worker", "select count(*) from leasehold.worker") { $0 == 1 }
                let answer = try await world.leasehold("enqueue", "acme", "no.such_kind")
                #expect(answer.status == 0)
                #expect(answer.errors.contains("no worker knows kind no.such_kind"))
                try await world.wait(
                    for: "the job to be snoozed",
                    """
                    select count(*) from leasehold.job
                    where state = 'scheduled' and attempt = 0 and last_error like '%no.such_kind%'
                        and last_error like '%pitchly.sync%'
                    """
                ) { $0 == 1 }
            }
        }

        @Test func aDatabaseThatIsDownIsSaid() async throws {
            try await World.with { world in
                let answer = try await world.leasehold(
                    "tenants",
                    "list",
                    environment: ["LEASEHOLD_DATABASE_URL": "postgresql://user:hush@127.0.0.1:1/app"]
                )
                #expect(answer.status == 1)
                #expect(answer.errors.contains("Error: cannot connect to the database"))
                #expect(answer.errors.contains("Try:"))
                #expect(!answer.errors.contains("hush"))
            }
        }

        @Test func aSchemaThatIsTooNewIsRefusedByEveryCommand() async throws {
            try await World.with { world in
                _ = try await world.pool.withConnection { connection in
                    try await connection.query(
                        sql:
                            "insert into leasehold.schema_migration (version, name, checksum) values (9999, 'v9999_later', 'x')"
                    )
                }
                for arguments in ["tenants", "jobs", "tokens"] {
                    let answer = try await world.leasehold(arguments, "list")
                    #expect(answer.status == 1)
                    #expect(answer.errors.contains("9999"), "\(answer.errors)")
                }
                let worker = try await world.leasehold("worker")
                #expect(worker.status == 1)
                #expect(worker.errors.contains("9999"))
            }
        }

        @Test func answersThatAreNoJSONKeepTheJobAndTheCredential() async throws {
            try await World.with {
                $0.data.organizations = 1
            } _: { world in
                let tenants = try await world.connectTenants()
                let rules: [FaultRule] = [
                    FaultRule(.answer(.init(status: 200, body: .html), .before), at: .graphql),
                    FaultRule(.cut(.body(after: 20)), at: .graphql),
                    FaultRule(.answer(.init(status: 503, body: .empty), .before), at: .graphql),
                ]
                let ids = rules.map { world.pitchly.faults.add($0) }
                try await world.enqueue(1, "pitchly.sync", for: tenants)
                try world.startWorker("one")
                try await world.wait(
                    for: "the table to be mirrored",
                    "select count(*) from leasehold.mirror_record"
                ) { $0 >= 5 }
                for id in ids { #expect(world.pitchly.faults.hits(of: id) == 1) }
                #expect(try !world.logs().lowercased().contains("<html"))
                #expect(
                    try await world.count("select count(*) from leasehold.credential where state = 'active'") == 1
                )
            }
        }
    }
}
