import Foundation
import LeaseholdCore
import Synchronization
import TokenVault

/// The demo's folder and processes: key ring, client secret, spool, logs, and who runs.
final class DemoStage: Sendable {
    let folder: URL
    private let environment: [String: String]
    private let running = Mutex<[DemoProcess]>([])

    /// Makes the folder with its files.
    ///
    /// - Parameter databaseURL: where the demo's workers find PostgreSQL.
    init(folder: URL, databaseURL: String) throws {
        let files = FileManager.default
        guard !files.fileExists(atPath: folder.path()) else {
            throw DemoError(
                what: "the folder \(folder.path()) not to be there yet",
                got: "one that is there",
                hint: "rm -r \(folder.path())"
            )
        }
        let forOwner: [FileAttributeKey: Any] = [.posixPermissions: 0o700]
        for name in ["", "spool", "logs"] {
            try files.createDirectory(
                at: folder.appending(path: name),
                withIntermediateDirectories: true,
                attributes: forOwner
            )
        }
        func file(_ name: String, _ text: String) -> String {
            let path = folder.appending(path: name).path()
            _ = files.createFile(atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            return path
        }
        let clientSecret = "plys_" + Data((0..<32).map { _ in UInt8.random(in: .min ... .max) }).base64EncodedString()
        var environment = ProcessInfo.processInfo.environment.filter { !$0.key.hasPrefix("LEASEHOLD_") }
        environment["LEASEHOLD_DATABASE_URL"] = databaseURL
        environment["LEASEHOLD_PITCHLY_CLIENT_ID"] = "appLeaseholdDemo00001"
        environment["LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE"] = file("client-secret", clientSecret + "\n")
        environment["LEASEHOLD_KEYRING_FILE"] = file("keyring", try KeyRing.makeLine(id: "demo") + "\n")
        environment["LEASEHOLD_SPOOL_DIR"] = folder.appending(path: "spool").path()
        environment["LEASEHOLD_WORKER_HEARTBEAT_SECONDS"] = "2"
        environment["LEASEHOLD_LOG_LEVEL"] = "info"
        environment["LEASEHOLD_LOG_FORMAT"] = "json"
        self.folder = folder
        self.environment = environment
    }

    /// Starts the fake and waits until it listens.
    func startPitchly(_ executable: URL, tenants: Int, accessTokenSeconds: Int) async throws -> DemoPitchly {
        let portFile = folder.appending(path: "fake-pitchly.port")
        let process = try start(
            "fake-pitchly",
            executable: executable,
            arguments: [
                "--port", "0", "--port-file", portFile.path(), "--organizations", String(tenants),
                "--access-token-seconds", String(accessTokenSeconds), "--mode", "strict",
                "--client-id", environment["LEASEHOLD_PITCHLY_CLIENT_ID"] ?? "",
                "--client-secret-file", environment["LEASEHOLD_PITCHLY_CLIENT_SECRET_FILE"] ?? "",
            ],
            environment: environment
        )
        while process.isRunning {
            if let text = try? String(contentsOf: portFile, encoding: .utf8),
                let port = Int(text.trimmingCharacters(in: .whitespacesAndNewlines))
            {
                return DemoPitchly(origin: "http://127.0.0.1:\(port)")
            }
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
        throw DemoError(what: "the fake Pitchly to start", got: "its end", hint: "look at \(folder.path())/logs")
    }

    /// The settings of every process of the demo that speaks to `pitchly`.
    func settings(for pitchly: DemoPitchly) -> [String: String] {
        var settings = environment
        settings["LEASEHOLD_PITCHLY_OAUTH_ORIGIN"] = pitchly.origin
        settings["LEASEHOLD_PITCHLY_API_URL"] = pitchly.origin + "/graphql"
        return settings
    }

    func startWorker(_ number: Int, _ executable: URL, for pitchly: DemoPitchly) throws -> DemoProcess {
        try start(
            "worker-\(number)",
            executable: executable,
            arguments: ["worker", "--name", "worker-\(number)"],
            environment: settings(for: pitchly)
        )
    }

    /// Stops everything that still runs and says what it took.
    func stopAll() async {
        // The workers first: they hand back what they run, which needs Pitchly only for exchanges.
        for process in running.withLock({ $0.reversed() }) { await process.stop(grace: .seconds(20)) }
    }

    func remove() { try? FileManager.default.removeItem(at: folder) }

    private func start(
        _ name: String,
        executable: URL,
        arguments: [String],
        environment: [String: String]
    ) throws -> DemoProcess {
        let process = try DemoProcess(
            name: name,
            executable: executable,
            arguments: arguments,
            environment: environment,
            log: folder.appending(path: "logs/\(name).log")
        )
        let pids = running.withLock { running in
            running.append(process)
            return running.map { "\($0.pid)\n" }.joined()
        }
        // For scripts/demo, which clears up if this process is itself killed.
        try Data(pids.utf8).write(to: folder.appending(path: "pids"))
        return process
    }
}
