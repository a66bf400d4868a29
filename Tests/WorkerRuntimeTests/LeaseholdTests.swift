import Foundation
import Leasehold
import Logging
import Postgres
import TestSupport
import Testing

@Suite(.timeLimit(.minutes(4))) struct LeaseholdTests {
    private static let tenant = TenantID(rawValue: "t1")!

    @Test func `The example of the documentation is the one that is compiled here`() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent()
        let article = root.appending(path: "Sources/Leasehold/Documentation.docc/GettingStarted.md")
        let example = root.appending(path: "Tests/WorkerRuntimeTests/GettingStarted.swift")
        let text = try String(contentsOf: article, encoding: .utf8)
        let code = try #require(text.split(separator: "```swift\n").last?.split(separator: "```").first)
        #expect(try String(contentsOf: example, encoding: .utf8) == code)
    }

    @Test func `The example enqueues a job, runs it and stops`() async throws {
        try await withDatabase { database in
            try await addTenant(on: database)
            let place = LeaseholdDatabase(url: database.url)
            let client = LeaseholdClient(database: place, logger: database.log.logger())
            let mail = Mail(to: "ada@example.com", subject: "hello")
            let first = try await enqueueMail(mail, for: Self.tenant, with: client)
            #expect(try await enqueueMail(mail, for: Self.tenant, with: client) == first, "the key is the same")
            let (sent, send) = AsyncStream.makeStream(of: String.self)
            await withThrowingTaskGroup(of: Void.self) { group in
                group.addTask {
                    try await runMailWorker(database: place, logger: database.log.logger()) { mail in
                        send.yield(mail.to)
                    }
                }
                #expect(await sent.first { _ in true } == "ada@example.com")
                group.cancelAll()
            }
            await client.close()
            #expect(!database.log.text.contains("ada@example.com"))
        }
    }

    @Test func `A worker refuses a database without the schema and says what to do`() async throws {
        try await withEmptyDatabase { database in
            let worker = try LeaseholdWorker(
                database: LeaseholdDatabase(url: database.url),
                registry: JobRegistry(),
                logger: database.log.logger()
            )
            let error = await #expect(throws: (any Error).self) { try await worker.run() }
            #expect(error.map(errorText)?.contains("leasehold migrate") == true)
        }
    }

    @Test func `An option out of range is refused by name`() throws {
        let error = #expect(throws: (any Error).self) {
            try LeaseholdWorker(
                database: LeaseholdDatabase(),
                registry: JobRegistry(),
                options: LeaseholdWorkerOptions(slots: 0)
            )
        }
        #expect(error.map(errorText)?.contains("slots to be 1 to 10000, got 0") == true)
    }

    @Test(arguments: [Duration.seconds(1), .seconds(8), .seconds(30), .seconds(3600)])
    func `Every lapse that is allowed makes settings that fit together`(lapse: Duration) throws {
        _ = try LeaseholdWorker(
            database: LeaseholdDatabase(),
            registry: JobRegistry(),
            options: LeaseholdWorkerOptions(lapse: lapse)
        )
    }

    @Test func `A lapse out of range is refused by name`() {
        let error = #expect(throws: (any Error).self) {
            try LeaseholdWorker(
                database: LeaseholdDatabase(),
                registry: JobRegistry(),
                options: LeaseholdWorkerOptions(lapse: .milliseconds(500))
            )
        }
        #expect(error.map(errorText)?.contains("lapse to be 1 s to 1 h") == true)
    }

    @Test func `A schedule is declared again and again, and removed once`() async throws {
        try await withDatabase { database in
            try await addTenant(on: database)
            let client = LeaseholdClient(database: LeaseholdDatabase(url: database.url), logger: database.log.logger())
            let nightly = ScheduleRequest(
                name: "nightly",
                kind: try JobKind("report.build"),
                rhythm: .cron("30 2 * * *", timeZone: "Europe/Berlin"),
                audience: .tenant(Self.tenant),
                replaces: true
            )
            try await client.schedule(nightly)
            try await client.schedule(nightly)
            try await client.removeSchedule("nightly")
            let error = await #expect(throws: (any Error).self) { try await client.removeSchedule("nightly") }
            #expect(error.map(errorText)?.contains("expected the name of a schedule, got \"nightly\"") == true)
            await client.close()
        }
    }

    @Test func `A database's description holds no password`() {
        let database = LeaseholdDatabase(url: "postgresql://u:s3cret@h/d", directURL: "postgresql://u:s3cret@h/d")
        #expect(!"\(database) \(String(reflecting: database))".contains("s3cret"))
        var dumped = ""
        dump(database, to: &dumped)
        #expect(!dumped.contains("s3cret"))
    }

    private func addTenant(on database: TestDatabase) async throws {
        try await database.pool().withConnection { connection in
            _ = try await connection.query(
                sql: "insert into leasehold.tenant (tenant_id, name) values ($1, 'one')",
                Self.tenant.rawValue
            )
        }
    }
}
