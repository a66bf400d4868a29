import AsyncHTTPClient
import FakePitchly
import Foundation
import NIOCore
import NIOHTTP1
import Postgres
import TestSupport
import Testing

@testable import LeaseholdCLI

/// Two workers and a server on a database of their own, each behind its own cable to it.
struct OutageStage {
    let world: World
    let database: PrivatePostgres
    let workers: [Member]
    let server: Member
    private let origin: String

    struct Member {
        let name: String
        let process: ChildProcess
        /// What it reaches the database by.
        let cable: TCPProxy
    }

    /// Runs `body` with three connected tenants and everything up and ready.
    static func with(_ body: (OutageStage, _ tenants: [String]) async throws -> Void) async throws {
        try await withPrivatePostgres { database in
            try await World.with(on: database) {
                $0.latency = .milliseconds(20)
            } _: { world in
                let tenants = try await world.connectTenants()
                let workers = try ["w1", "w2"].map { try start($0, ["worker", "--name", $0], world, database) }
                let server = try start("server", ["serve"], world, database)
                let port = try await port(of: server, world)
                let stage = OutageStage(
                    world: world,
                    database: database,
                    workers: workers,
                    server: server,
                    origin: "http://127.0.0.1:\(port)"
                )
                defer { for member in workers + [server] { member.cable.close() } }
                try await stage.waitUntilReady()
                try await world.wait(for: "both workers", "select count(*) from leasehold.worker") { $0 == 2 }
                try await body(stage, tenants)
            }
        }
    }

    private static func start(
        _ name: String,
        _ arguments: [String],
        _ world: World,
        _ database: PrivatePostgres
    ) throws -> Member {
        let cable = try TCPProxy(to: .unix(path: database.socketPath))
        let url =
            "postgresql://postgres@127.0.0.1:\(cable.port)/postgres?connect_timeout=5&sslmode=disable&gssencmode=disable"
        let process = try world.start(
            name,
            arguments,
            environment: [
                "LEASEHOLD_DATABASE_URL": url, "LEASEHOLD_SERVER_PORT": "0", "LEASEHOLD_WORKER_CONCURRENCY": "8",
            ]
        )
        return Member(name: name, process: process, cable: cable)
    }

    /// The free port that the server took, as its log tells.
    private static func port(of server: Member, _ world: World) async throws -> Int {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        while clock.now < deadline {
            let log = try String(contentsOf: world.log(of: server.name), encoding: .utf8)
            if let line = log.split(separator: "\n").first(where: { $0.contains("http_listening") }),
                let port = line.firstMatch(of: /"port":"?([0-9]+)/)?.1
            {
                return try #require(Int(port))
            }
            try await clock.sleep(for: .milliseconds(50))
        }
        throw TestSupportError(label: "no_server", message: "expected the server to listen within a minute")
    }

    // MARK: What the server says

    /// Whoever asks a probe does not wait long, so neither does this.
    func get(_ path: String) async throws -> (status: Int, text: String) {
        let response = try await HTTPClient.shared.execute(HTTPClientRequest(url: origin + path), timeout: .seconds(6))
        let body = try await response.body.collect(upTo: 1 << 20)
        return (Int(response.status.code), String(buffer: body))
    }

    func waitUntilReady() async throws { try await waitForReadiness(200) }

    /// - Returns: what it says then.
    @discardableResult
    func waitForReadiness(_ status: Int) async throws -> String {
        let clock = ContinuousClock()
        let deadline = clock.now + .seconds(60)
        var last = try await get("/ready")
        while last.status != status {
            try #require(clock.now < deadline, "waited a minute for /ready to answer \(status), got \(last)")
            try await clock.sleep(for: .milliseconds(100))
            last = try await get("/ready")
        }
        return last.text
    }
}
