import Foundation
import HTTPTypes
import Hummingbird
import LeaseholdCore
import NIOCore
import Synchronization

/// `/live`, `/ready` and `/metrics`.
///
/// Live says that the process answers and nothing more: whoever restarts it because the database is
/// away makes things worse. Ready is made of facts, looked at when somebody asks.
struct HealthRoutes: Sendable {
    let checks: [ReadinessCheck]
    let metrics: @Sendable () -> String

    var routes: [Route] {
        let memory = ReadinessMemory()
        return [
            Route(.get, "/live", .open) { _ in .json("{\"status\":\"live\"}") },
            Route(.get, "/ready", .open) { [checks] _ in try await Self.ready(checks, memory) },
            Route(.get, "/metrics", .open) { [metrics] _ in
                var response = Response(
                    status: .ok,
                    body: ResponseBody(byteBuffer: ByteBuffer(string: metrics()))
                )
                response.headers[.contentType] = "text/plain; version=0.0.4; charset=utf-8"
                return response
            },
        ]
    }

    private static func ready(_ checks: [ReadinessCheck], _ memory: ReadinessMemory) async throws -> Response {
        let findings = await memory.findings { await look(at: checks) }
        let list = "[\(findings.map(\.json).joined(separator: ","))]"
        let failed = findings.filter { $0.problem != nil }
        guard !failed.isEmpty else { return .json("{\"status\":\"ready\",\"checks\":\(list)}") }
        var problem = Problem(
            .serviceUnavailable,
            "not_ready",
            "expected \(failed.map(\.name).joined(separator: ", ")) to be fit, got: "
                + failed.compactMap(\.problem).joined(separator: "; ")
        )
        problem.members = [("checks", list)]
        throw problem
    }

    private static func look(at checks: [ReadinessCheck]) async -> [ReadinessFinding] {
        await withTaskGroup(of: (Int, ReadinessFinding).self) { group in
            for (index, check) in checks.enumerated() { group.addTask { (index, await check.look()) } }
            var findings: [(Int, ReadinessFinding)] = []
            for await finding in group { findings.append(finding) }
            return findings.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }
}

/// Keeps what was found for a second, so that nobody can load the database by asking.
private actor ReadinessMemory {
    private var last: (at: ContinuousClock.Instant, findings: [ReadinessFinding])?
    private var look: Task<[ReadinessFinding], Never>?

    func findings(_ find: @escaping @Sendable () async -> [ReadinessFinding]) async -> [ReadinessFinding] {
        if let last, ContinuousClock.now - last.at < .seconds(1) { return last.findings }
        // One look for everybody who asks meanwhile; it ends by itself, because each check has a limit.
        let task = look ?? Task { await find() }
        look = task
        let findings = await task.value
        look = nil
        last = (ContinuousClock.now, findings)
        return findings
    }
}

extension Response {
    static func json(_ text: String, status: HTTPResponse.Status = .ok) -> Response {
        Response(
            status: status,
            headers: [.contentType: "application/json", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: text))
        )
    }
}
