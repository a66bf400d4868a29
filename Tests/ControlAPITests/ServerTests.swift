import FakePitchly
import Foundation
import LeaseholdCore
import Logging
import NIOCore
import NIOPosix
import Postgres
import Synchronization
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct ServerTests {
    @Test func unknownPathsAndMethodsAreProblems() async throws {
        try await withServer { world in
            let missing = try await world.send("GET", "/v2/nothing")
            #expect(missing.status == 404)
            #expect(try missing.code() == "not_found")
            let method = try await world.send("DELETE", "/v1/jobs/1")
            #expect(method.status == 405)
            #expect(method.header("allow") == "GET, HEAD")
            #expect(try method.object()["type"] as? String == "urn:leasehold:problem:method_not_allowed")
            #expect(try await world.send("HEAD", "/live").status == 200)
        }
    }

    @Test func theBodysTypeAndSizeAreChecked() async throws {
        var settings = ControlSettings()
        settings.bodyLimit = 1024
        try await withServer(settings) { world in
            let key = try await world.key(.jobsWrite)
            let plain = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                headers: [("Content-Type", "text/plain")],
                body: Array("{}".utf8)
            )
            #expect(plain.status == 415)
            let none = try await world.send("POST", "/v1/jobs", key: key)
            #expect(none.status == 415)
            let long = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                json: #"{"x":""# + String(repeating: "a", count: 2000) + "\"}"
            )
            #expect(long.status == 413)
            #expect(try long.code() == "body_too_large")
        }
    }

    @Test func everyAnswerHasARequestIDAndSafeHeaders() async throws {
        try await withServer { world in
            let own = try await world.send("GET", "/live", headers: [("X-Request-Id", "abc-1.2_3")])
            #expect(own.header("x-request-id") == "abc-1.2_3")
            let unsafe = try await world.send("GET", "/nothing", headers: [("X-Request-Id", "a b\"<")])
            let id = try #require(unsafe.header("x-request-id"))
            #expect(UUID(uuidString: id) != nil)
            #expect(try unsafe.object()["request_id"] as? String == id)
            #expect(unsafe.header("x-content-type-options") == "nosniff")
            #expect(unsafe.header("content-security-policy") == "default-src 'none'; frame-ancestors 'none'")
        }
    }

    @Test func readyNamesWhatIsNotFit() async throws {
        let isFit = Mutex(true)
        let checks = [
            ReadinessCheck("database and schema") {},
            ReadinessCheck("spool") { if !isFit.withLock({ $0 }) { throw Full() } },
        ]
        try await withServer(checks: checks) { world in
            let good = try await world.send("GET", "/ready")
            #expect(good.status == 200)
            #expect(try good.object()["status"] as? String == "ready")
        }
        isFit.withLock { $0 = false }
        try await withServer(checks: checks) { world in
            let bad = try await world.send("GET", "/ready")
            #expect(bad.status == 503)
            #expect(
                try #require(bad.object()["detail"] as? String).contains(
                    "expected spool to be fit, got: the disk is full"
                )
            )
            let list = try #require(try bad.object()["checks"] as? [[String: Any]])
            #expect(list.map { $0["ok"] as? Bool } == [true, false])
            // Alive all the same: a restart would not mend a disk.
            #expect(try await world.send("GET", "/live").status == 200)
        }
    }

    private struct Full: ExplainedError {
        var label: String { "full" }
        var message: String { "the disk is full" }
        var hint: String? { nil }
    }

    @Test func metricsAreServedAsPrometheusText() async throws {
        try await withServer { world in
            let answer = try await world.send("GET", "/metrics")
            #expect(answer.status == 200)
            #expect(answer.header("content-type") == "text/plain; version=0.0.4; charset=utf-8")
            #expect(answer.text.contains("# TYPE leasehold_metrics_dropped_series_total counter"))
        }
    }

    @Test(.timeLimit(.minutes(4))) func aSlowClientIsCutOff() async throws {
        var settings = ControlSettings()
        settings.requestTime = .seconds(2)
        settings.idleTime = .seconds(600)
        try await withServer(settings) { world in
            let port = try #require(URL(string: world.origin)?.port)
            // A head that never ends, and a body that never comes.
            for beginning in [
                "GET /live HTTP/1.1\r\nHost: x\r\nX-Slow: ",
                "POST /v1/jobs HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n{",
            ] {
                let connection = try await RawClient.connect(port: port)
                try await connection.send(beginning)
                // The test hangs and fails by its time limit if the server never closes.
                _ = try await connection.readToEnd()
            }
            #expect(try await world.send("GET", "/live").status == 200)
        }
    }

    @Test(.timeLimit(.minutes(4))) func malformedRequestsLeaveItServing() async throws {
        var settings = ControlSettings()
        settings.requestTime = .seconds(5)
        try await withServer(settings) { world in
            let port = try #require(URL(string: world.origin)?.port)
            let random = RandomSource(seed: 7)
            for round in 0..<300 {
                let connection = try await RawClient.connect(port: port)
                // A server may close while we still write.
                try? await connection.send(bytes: MalformedRequest.bytes(round, random))
                await connection.close()
            }
            #expect(try await world.send("GET", "/live").status == 200)
            let errors = world.log.entries.filter { $0.metadata["event"] == "http_error" }
            #expect(errors.isEmpty, "\(errors.map(\.text))")
        }
    }

    @Test func aGracefulStopAnswersWhatIsUnderWay() async throws {
        let pool = try await StoppedServer.answersDuringStop()
        #expect(pool == 200)
    }
}
