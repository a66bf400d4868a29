import AsyncHTTPClient
import JobQueue
import Logging
import NIOCore
import NIOHTTP1
import ServiceLifecycle
import TestSupport
import Testing

@testable import ControlAPI

/// A server that is asked to stop while it works on a request.
enum StoppedServer {
    /// - Returns: the status of the request that was under way.
    static func answersDuringStop() async throws -> Int {
        try await withDatabase { database in
            let pool = database.pool(size: 2)
            let (reached, release) = (Signal(), Signal())
            let check = ReadinessCheck("held") {
                await reached.set()
                await release.wait()
            }
            let parts = ControlParts(
                pool: pool,
                queue: JobQueue(pool: pool, logger: database.log.logger("queue")),
                tenants: TenantStore(pool: pool),
                checks: [check],
                metrics: { "" }
            )
            var settings = ControlSettings()
            settings.port = 0
            let server = ControlServer(settings: settings, parts: parts, logger: database.log.logger("http"))
            let group = ServiceGroup(
                configuration: ServiceGroupConfiguration(services: [server], logger: database.log.logger("group"))
            )
            return try await withThrowingTaskGroup(of: Int?.self) { tasks in
                tasks.addTask {
                    try await group.run()
                    return nil
                }
                let port = try await server.started()
                tasks.addTask {
                    let request = HTTPClientRequest(url: "http://127.0.0.1:\(port)/ready")
                    return Int(try await HTTPClient.shared.execute(request, timeout: .seconds(30)).status.code)
                }
                await reached.wait()
                await group.triggerGracefulShutdown()
                await release.set()
                var status = 0
                for try await answer in tasks { status = answer ?? status }
                return status
            }
        }
    }
}

/// Set once; everybody who waits goes on.
actor Signal {
    private var isSet = false
    private var waiting: [CheckedContinuation<Void, Never>] = []

    func set() {
        isSet = true
        for continuation in waiting { continuation.resume() }
        waiting = []
    }

    func wait() async {
        if isSet { return }
        await withCheckedContinuation { waiting.append($0) }
    }
}
