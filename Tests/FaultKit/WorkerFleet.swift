import Foundation
import Logging
import TestSupport

/// The workers of a stage. One that dies is replaced.
package actor WorkerFleet {
    private let environment: [String: String]
    private let folder: URL
    private let losesSpools: Bool
    private var target: TCPProxy.Target
    private let providerPort: Int
    private var workers: [String: WorkerProcess] = [:]
    private var started = 0
    private var isEnding = false

    /// - Parameters:
    ///   - environment: its database and origin are replaced by each worker's own proxies.
    ///   - losesSpools: each worker gets a spool of its own, which goes with it when it dies.
    init(
        environment: [String: String],
        folder: URL,
        losesSpools: Bool,
        server: PrivatePostgres,
        providerPort: Int
    ) {
        self.environment = environment
        self.folder = folder
        self.losesSpools = losesSpools
        target = .unix(path: server.socketPath)
        self.providerPort = providerPort
    }

    var logs: [String] { (0..<started).map { log("worker-\($0 + 1)") } }

    package func worker(_ name: String) -> WorkerProcess? { workers[name] }

    package var all: [WorkerProcess] { Array(workers.values) }

    /// - Returns: nil once the fleet is ending.
    func start() throws -> WorkerProcess? {
        guard !isEnding else { return nil }
        started += 1
        let name = "worker-\(started)"
        let database = try TCPProxy(to: target)
        let provider = try TCPProxy(to: .tcp(port: providerPort))
        var environment = environment
        environment["LEASEHOLD_DATABASE_URL"] = FaultDatabase.url(port: database.port)
        environment["LEASEHOLD_PITCHLY_OAUTH_ORIGIN"] = "http://127.0.0.1:\(provider.port)"
        if losesSpools { environment["LEASEHOLD_SPOOL_DIR"] = spool(name) }
        let worker = try WorkerProcess(
            name: name,
            environment: environment,
            database: database,
            provider: provider,
            log: log(name)
        )
        workers[name] = worker
        return worker
    }

    func remove(_ name: String) async {
        await workers.removeValue(forKey: name)?.end()
        if losesSpools { try? FileManager.default.removeItem(atPath: spool(name)) }
    }

    /// New connections find this server; the old ones are gone.
    func move(to server: PrivatePostgres) {
        target = .unix(path: server.socketPath)
        for worker in workers.values { worker.database.redirect(to: target) }
    }

    func end() async {
        isEnding = true
        for worker in workers.values { await worker.end() }
        workers = [:]
    }

    private func log(_ name: String) -> String { folder.appendingPathComponent("\(name).log").path }

    private func spool(_ name: String) -> String { folder.appendingPathComponent("\(name)-spool").path }
}
