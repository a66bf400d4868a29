import ArgumentParser
import Foundation
import LeaseholdCore
import Postgres
import TokenVault
import UnixSignals

/// The main job on one machine, with real processes, and a verdict.
struct DemoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "demo",
        abstract: "Syncs the tenants of a fake Pitchly while their single-use tokens rotate and a worker is killed.",
        discussion: """
            Needs an empty database; scripts/demo brings one. Starts a fake Pitchly whose access tokens live 20 seconds \
            and two workers; connects the tenants from user sessions; lets one tenant flood the queue first; kills a \
            worker with SIGKILL and starts another; then compares every mirrored table with its source, row by row.

              leasehold demo --database-url postgresql:///scratch
            """
    )

    @Option(help: "PostgreSQL without the schema leasehold.") var databaseUrl: String
    @Option(help: "Folder for logs, spool and keys; made, and removed at the end.") var folder: String
    @Option(help: "How many tenants.") var tenants = 25
    @Option(help: "How long an access token lives.") var accessTokenSeconds = 20
    @Flag(help: "Leave everything running and say how to look inside.") var keep = false

    func validate() throws {
        guard (2...500).contains(tenants) else {
            throw ValidationError("expected --tenants to be 2 to 500, got \(tenants)")
        }
        guard (10...3600).contains(accessTokenSeconds) else {
            throw ValidationError("expected --access-token-seconds to be 10 to 3600, got \(accessTokenSeconds)")
        }
    }

    func run() async throws {
        let stage = try DemoStage(folder: URL(filePath: folder), databaseURL: databaseUrl)
        var isLeftRunning = false
        // With --keep the logs of a demo that failed stay, too.
        defer { if !keep { stage.remove() } }
        do {
            let failures = try await untilInterrupted {
                try await Demo(stage: stage, databaseURL: databaseUrl, options: self).run()
            }
            isLeftRunning = keep && failures.isEmpty
            if !isLeftRunning { await stage.stopAll() }
            guard failures.isEmpty else {
                throw DemoError(what: "the demo's promises to hold", got: failures.joined(separator: "; "), hint: nil)
            }
        } catch {
            await stage.stopAll()
            throw error
        }
        if isLeftRunning { sayHowToLookInside(stage) }
    }

    private func sayHowToLookInside(_ stage: DemoStage) {
        print(
            """

            Left running. Look inside with:
              psql '\(databaseUrl)'
                select * from leasehold.credential_status;
                select kind, outcome, count(*) from leasehold.job_history group by 1, 2;
                select table_id, name, record_count, synced_at from leasehold.mirror_table;
              tail -f \(stage.folder.path())/logs/worker-2.log
            """
        )
    }

    /// Ends `body` with an error on the first SIGINT or SIGTERM, so that what was started is stopped.
    private func untilInterrupted<Result: Sendable>(
        _ body: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
        return try await withThrowingTaskGroup(of: Result.self) { group in
            group.addTask { try await body() }
            group.addTask {
                for await _ in signals {
                    throw DemoError(what: "the demo to end by itself", got: "a signal", hint: nil)
                }
                throw CancellationError()
            }
            defer { group.cancelAll() }
            guard let result = try await group.next() else { throw CancellationError() }
            return result
        }
    }
}
