import Foundation
import LeaseholdCore
import Logging
import Postgres
import SQLFiles
import TokenVault

/// The acts of the demo in their order.
struct Demo {
    private let stage: DemoStage
    private let databaseURL: String
    private let options: DemoCommand
    private let leasehold: URL
    private let fakePitchly: URL

    /// Jobs that one tenant enqueues before anybody else comes.
    private static let flood = 300
    /// Syncs that every tenant asks for, spread over the run so that tokens are needed all the time.
    private static let rounds = 6
    private static let timeLimit: Duration = .seconds(80)

    init(stage: DemoStage, databaseURL: String, options: DemoCommand) {
        self.stage = stage
        self.databaseURL = databaseURL
        self.options = options
        leasehold = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        fakePitchly = leasehold.deletingLastPathComponent().appending(path: "fake-pitchly")
    }

    /// - Returns: what did not hold; empty is success.
    func run() async throws -> [String] {
        let screen = DemoScreen()
        let pitchly = try await stage.startPitchly(
            fakePitchly,
            tenants: options.tenants,
            accessTokenSeconds: options.accessTokenSeconds
        )
        screen.say("fake Pitchly listens on \(pitchly.origin); its access tokens live \(options.accessTokenSeconds) s")
        let settings = try SettingsLoader(flags: [:], configFile: nil, environment: stage.settings(for: pitchly))
        let composition = Composition(
            settings: settings,
            logger: Logger(label: "demo") { _ in SwiftLogNoOpLogHandler() }
        )
        return try await composition.withPool(needsSchema: false) { pool in
            let applied = try await SchemaMigrator(pool: pool, logger: composition.logger).migrate()
            guard !applied.isEmpty else {
                throw DemoError(
                    what: "a database without the schema leasehold",
                    got: "one that has it",
                    hint: "createdb leasehold_demo, then leasehold demo with its URL"
                )
            }
            screen.say("schema leasehold made, \(applied.count) migrations")
            let tenants = try await connectTenants(pitchly, composition, pool)
            screen.say("\(tenants.count) tenants connected from user sessions")
            let enqueued = try await play(pitchly, tenants, pool, screen)
            screen.say("all jobs have ended; comparing every mirrored table with its source")
            let report = try await DemoReport.make(
                pool: pool,
                pitchly: pitchly,
                tenants: tenants,
                expectedJobs: enqueued
            )
            for (title, table) in report.tables { print("\n\(title)\n\(table.text())") }
            print(report.failures.isEmpty ? "\nEverything held." : "\nNot everything held.")
            return report.failures
        }
    }

    /// The seed's flow: a user's session gives an access token, which is exchanged for the pair.
    private func connectTenants(
        _ pitchly: DemoPitchly,
        _ composition: Composition,
        _ pool: PostgresPool
    ) async throws -> [DemoTenant] {
        let organizations = try await pitchly.organizations()
        var tenants: [DemoTenant] = []
        try await composition.withVault { vault in
            for (index, organization) in organizations.enumerated() {
                let tenant = DemoTenant(
                    id: try TenantID(String(format: "tenant-%02d", index + 1)),
                    organization: organization
                )
                try await pool.query(.tenantAdd, tenant.id.rawValue, organization.name)
                try await vault.connect(
                    tenant.id,
                    with: .accessToken(try await pitchly.session(of: organization.id)),
                    organization: organization.id
                )
                tenants.append(tenant)
            }
        }
        return tenants
    }

    /// - Returns: how many syncs were enqueued.
    private func play(
        _ pitchly: DemoPitchly,
        _ tenants: [DemoTenant],
        _ pool: PostgresPool,
        _ screen: DemoScreen
    ) async throws -> Int {
        var screen = screen
        let flooding = tenants[0]
        var enqueued = try await enqueue(Self.flood, for: [flooding], pool)
        screen.say("\(flooding.id) floods the queue with \(enqueued) jobs before anybody else comes")
        var victim: DemoProcess? = try stage.startWorker(1, leasehold, for: pitchly)
        _ = try stage.startWorker(2, leasehold, for: pitchly)
        screen.say("two workers started")

        let clock = ContinuousClock()
        let start = clock.now
        let pause = Duration.seconds(options.accessTokenSeconds) / 4
        var round = 0
        while true {
            let elapsed = clock.now - start
            if round < Self.rounds, elapsed >= pause * round {
                enqueued += try await enqueue(1, for: tenants, pool)
                round += 1
            }
            if let process = victim, elapsed >= pause * 2 {
                process.signal(SIGKILL)
                victim = nil
                screen.say("worker-1 killed with SIGKILL in the middle of its jobs")
                _ = try stage.startWorker(3, leasehold, for: pitchly)
                screen.say("worker-3 started")
            }
            let progress = try await DemoProgress(pool)
            screen.show(progress)
            if round == Self.rounds, victim == nil, progress.isQuiet, progress.leastRotations >= 2 { break }
            guard elapsed < Self.timeLimit else {
                throw DemoError(
                    what: "every job to end and every token to rotate within \(Self.timeLimit)",
                    got: progress.text,
                    hint: "look at \(stage.folder.path())/logs"
                )
            }
            try await clock.sleep(for: .milliseconds(250))
        }
        return enqueued
    }

    /// - Returns: how many jobs that were.
    private func enqueue(_ count: Int, for tenants: [DemoTenant], _ pool: PostgresPool) async throws -> Int {
        _ = try await pool.withConnection { connection in
            try await connection.query(
                sql: """
                    select leasehold.enqueue(tenant, 'pitchly.sync')
                    from generate_series(1, $2), unnest($1::text[]) as tenant
                    """,
                tenants.map(\.id.rawValue),
                Int32(count)
            )
        }
        return count * tenants.count
    }
}
