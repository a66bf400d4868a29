package import Foundation
import LeaseholdCore
package import TestSupport
package import WorkerControl

/// The workers of a stage. One that dies is replaced.
package actor WorkerFleet {
    private let options: WorkerOptions
    private let folder: URL
    private var target: TCPProxy.Target
    private var databaseName: String
    private let providerPort: Int
    private var workers: [String: WorkerProcess] = [:]
    private var started = 0
    private var isEnding = false

    /// - Parameter options: its database and origin are replaced by each worker's own proxies.
    package init(
        options: WorkerOptions,
        folder: URL,
        server: PrivatePostgres,
        databaseName: String,
        providerPort: Int
    ) {
        self.options = options
        self.folder = folder
        target = .unix(path: server.socketPath)
        self.databaseName = databaseName
        self.providerPort = providerPort
    }

    package var logs: [URL] {
        (1...max(1, started)).map { folder.appendingPathComponent("worker-\($0).log") }
    }

    package func worker(_ name: String) -> WorkerProcess? { workers[name] }

    /// - Returns: nil once the fleet is ending.
    package func start() throws -> WorkerProcess? {
        guard !isEnding else { return nil }
        started += 1
        let name = "worker-\(started)"
        let database = try TCPProxy(to: target)
        let provider = try TCPProxy(to: .tcp(port: providerPort))
        var options = options
        options.databaseURL = "postgresql://postgres@127.0.0.1:\(database.port)/\(databaseName)?connect_timeout=5"
        options.origin = "http://127.0.0.1:\(provider.port)"
        let worker = try WorkerProcess(
            name: name,
            options: options,
            database: database,
            provider: provider,
            log: folder.appendingPathComponent("\(name).log")
        )
        workers[name] = worker
        return worker
    }

    package func remove(_ name: String) async {
        await workers.removeValue(forKey: name)?.end()
    }

    /// New workers, and new connections of the old ones, find this server.
    package func move(to server: PrivatePostgres) {
        target = .unix(path: server.socketPath)
    }

    package func end() async {
        isEnding = true
        for worker in workers.values { await worker.end() }
        workers = [:]
    }

    package func signalAll(_ number: Int32) {
        for worker in workers.values { worker.signal(number) }
    }
}
