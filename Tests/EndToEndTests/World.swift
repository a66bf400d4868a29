import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Logging
import Postgres
import Synchronization
import TestSupport
import Testing
import TokenVault

@testable import LeaseholdCLI

/// One test's world: a database, a fake Pitchly, a folder with key ring and spool, and the real
/// executables, which get all of it by their environment.
final class World: Sendable {
    let pool: PostgresPool
    let pitchly: FakePitchlyServer
    let folder: URL
    let environment: [String: String]
    private let processes = Mutex<[ChildProcess]>([])

    private static let executables = URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
    static let leasehold = executables.appending(path: "leasehold")

    private init(database: TestDatabase, pitchly: FakePitchlyServer, folder: URL) throws {
        func file(_ name: String, _ text: String) -> String {
            let path = folder.appending(path: name).path()
            _ = FileManager.default.createFile(
                atPath: path,
                contents: Data(text.utf8),
                attributes: [.posixPermissions: 0o600]
            )
            return path
        }
        self.pool = database.pool(size: 4)
        self.pitchly = pitchly
        self.folder = folder
        environment = [
            "PATH": ProcessInfo.processInfo.environment["PATH"] ?? "",
            "LEASEHOLD_DATABASE_URL": database.url,
            "LEASEHOLD_PITCHLY_OAUTH_ORIGIN": pitchly.oauthOrigin,
            "LEASEHOLD_PITCHLY_API_URL": pitchly.apiURL,
            "LEASEHOLD_PITCHLY_CLIENT_ID": pitchly.configuration.oauth.clientID,
            "LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE": file("client-secret", pitchly.configuration.oauth.clientSecret),
            "LEASEHOLD_KEYRING_FILE": file("keyring", try KeyRing.makeLine(id: "test") + "\n"),
            "LEASEHOLD_SPOOL_DIR": folder.appending(path: "spool").path(),
            "LEASEHOLD_WORKER_HEARTBEAT_SECONDS": "1",
            "LEASEHOLD_LOG_FORMAT": "json",
        ]
    }

    /// Runs `body` in a world of its own; every process it started is gone afterwards.
    ///
    /// - Parameter server: one that may be broken, whose only database it is; nil is the one of all tests.
    static func with(
        on server: PrivatePostgres? = nil,
        _ configure: (inout FakePitchlyConfiguration) -> Void = { _ in },
        _ body: (World) async throws -> Void
    ) async throws {
        var configuration = FakePitchlyConfiguration()
        configuration.data.organizations = 3
        configuration.data.largeOrganizations = 0
        configuration.data.tablesPerWorkspace = 1
        configuration.data.recordsPerTable = 5...10
        configure(&configuration)
        let folder = FileManager.default.temporaryDirectory.appending(path: "leasehold-e2e-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        func live(_ database: TestDatabase) async throws {
            try await FakePitchlyServer.withServer(configuration) { pitchly in
                let world = try World(database: database, pitchly: pitchly, folder: folder)
                defer { world.killAll() }
                try await body(world)
            }
        }
        if let server {
            try await withDatabase(on: server, live)
        } else {
            try await withDatabase(live)
        }
    }

    // MARK: Processes

    struct Answer {
        let status: Int32
        let output: String
        let errors: String
    }

    /// Runs `leasehold` to its end.
    func leasehold(_ arguments: String..., environment extra: [String: String] = [:]) async throws -> Answer {
        try await leasehold(arguments, environment: extra)
    }

    func leasehold(_ arguments: [String], environment extra: [String: String] = [:]) async throws -> Answer {
        try await run(arguments, environment.merging(extra) { $1 })
    }

    private func run(_ arguments: [String], _ environment: [String: String]) async throws -> Answer {
        let name = UUID().uuidString
        let (output, errors) = (folder.appending(path: "\(name).out"), folder.appending(path: "\(name).err"))
        let exit = try await ChildProcess(
            [Self.leasehold.path()] + arguments,
            environment: environment,
            inheritsEnvironment: false,
            outputPath: output.path(),
            errorPath: errors.path()
        ).exit()
        guard case .status(let status) = exit else {
            throw TestSupportError(label: "leasehold_killed", message: "expected leasehold to end, got \(exit)")
        }
        return Answer(
            status: status,
            output: try String(contentsOf: output, encoding: .utf8),
            errors: try String(contentsOf: errors, encoding: .utf8)
        )
    }

    /// The same world as a process sees it that is not given these variables.
    func without(_ names: [String]) -> Bystander {
        Bystander(world: self, environment: environment.filter { !names.contains($0.key) })
    }

    struct Bystander {
        let world: World
        let environment: [String: String]

        func leasehold(_ arguments: String...) async throws -> Answer {
            try await world.run(arguments, environment)
        }
    }

    /// Starts a worker process; its log is in the world's folder.
    @discardableResult
    func startWorker(_ name: String, environment extra: [String: String] = [:]) throws -> ChildProcess {
        try start(name, ["worker", "--name", name], environment: extra)
    }

    /// Starts `leasehold` and leaves it running.
    func start(_ name: String, _ arguments: [String], environment extra: [String: String]) throws -> ChildProcess {
        let process = try ChildProcess(
            [Self.leasehold.path()] + arguments,
            environment: environment.merging(extra) { $1 },
            inheritsEnvironment: false,
            outputPath: log(of: name).path()
        )
        processes.withLock { $0.append(process) }
        return process
    }

    func log(of process: String) -> URL { folder.appending(path: "\(process).log") }

    func killAll() {
        for process in processes.withLock({ $0 }) { process.send(signal: SIGKILL) }
    }

    /// Everything that any process of this world has logged.
    func logs() throws -> String {
        try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "log" }
            .map { try String(contentsOf: $0, encoding: .utf8) }
            .joined()
    }

    // MARK: The database

    /// Jobs and workers as they stand, for the message of a test that waited in vain.
    private func situation() async throws -> String {
        let rows = try await pool.withConnection { connection in
            try await connection.query(
                sql: """
                    select format('%s %s: %s, oldest %s, errors %s', state, kind, count(*), min(claimed_at),
                        array_agg(distinct left(last_error, 200))) from leasehold.job group by state, kind
                    union all
                    select format('worker %s: heartbeat %s ago, lapsed %s, holds %s', name,
                        clock_timestamp() - heartbeat_at, lapsed_at,
                        (select count(*) from leasehold.job where claimed_by = worker_id))
                    from leasehold.worker where lapsed_at is null
                    """
            )
        }
        return try rows.map { try $0.decode(0, as: String.self) }.joined(separator: "\n")
    }

    /// Connects a tenant of each organisation by the seed's flow; `t1`, `t2`, ….
    func connectTenants() async throws -> [String] {
        var tenants: [String] = []
        for (index, organization) in pitchly.organizationIDs.enumerated() {
            let tenant = "t\(index + 1)"
            let file = folder.appending(path: "session")
            try Data(try pitchly.makeSession(organization: organization).utf8).write(to: file)
            try expectSuccess(try await leasehold("tenants", "add", tenant))
            try expectSuccess(try await leasehold("tenants", "connect", tenant, "--access-token-file", file.path()))
            tenants.append(tenant)
        }
        return tenants
    }

    func expectSuccess(_ answer: Answer) throws {
        try #require(answer.status == 0, "\(answer.errors)")
    }

    func enqueue(_ count: Int, _ kind: String, for tenants: [String]) async throws {
        _ = try await pool.withConnection { connection in
            try await connection.query(
                sql: "select leasehold.enqueue(tenant, $3) from generate_series(1, $2), unnest($1::text[]) as tenant",
                tenants,
                Int32(count),
                kind
            )
        }
    }

    func count(_ sql: String) async throws -> Int64 {
        try await pool.withConnection { try await $0.query(sql: sql).only.decode(0, as: Int64.self) }
    }

    /// Waits until a count of the database satisfies `isReached`. Other processes work meanwhile and
    /// send no signal here, so the database is asked again and again.
    func wait(
        for what: String,
        limit: Duration = .seconds(120),
        _ sql: String,
        _ isReached: (Int64) -> Bool
    ) async throws {
        let clock = ContinuousClock()
        let deadline = clock.now + limit
        var last = try await count(sql)
        while !isReached(last) {
            if clock.now >= deadline {
                let situation = try await situation()
                try #require(clock.now < deadline, "waited \(limit) for \(what), got \(last): \(situation)")
            }
            try await clock.sleep(for: .milliseconds(50))
            last = try await count(sql)
        }
    }
}
