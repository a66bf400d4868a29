import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct JobRouteTests {
    @Test func aJobIsEnqueuedShownCancelledAndRunAgain() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite, .jobsRead)
            // More digits than a double holds: they must come back as they went in.
            let made = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                json:
                    #"{"tenant":"acme","kind":"report.build","args":{"n":12345678901234567890.123456789},"timeout_seconds":1.5}"#
            )
            #expect(made.status == 201)
            let id = try #require(try made.object()["id"] as? Int)
            #expect(made.header("location") == "/v1/jobs/\(id)")
            let shown = try await world.send("GET", "/v1/jobs/\(id)", key: key)
            #expect(shown.text.contains(#""args":{"n": 12345678901234567890.123456789}"#))
            #expect(try shown.object()["state"] as? String == "ready")
            #expect(try shown.object()["timeout_seconds"] as? Double == 1.5)
            let cancelled = try await world.send("POST", "/v1/jobs/\(id)/cancel", key: key)
            #expect(try cancelled.object()["result"] as? String == "cancelled")
            let again = try await world.send("POST", "/v1/jobs/\(id)/retry", key: key)
            #expect(try again.object()["state"] as? String == "ready")
        }
    }

    @Test func aRepeatedIdempotencyKeyAnswersWithTheFirstJobs() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite)
            let batch = #"[{"tenant":"acme","kind":"a"},{"tenant":"acme","kind":"b"}]"#
            let first = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                json: batch,
                headers: [("Idempotency-Key", "k")]
            )
            let second = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                json: batch,
                headers: [("Idempotency-Key", "k")]
            )
            #expect(first.status == 201)
            #expect(second.status == 200)
            #expect(try ids(first) == ids(second))
            #expect(try ids(first).count == 2)
        }
    }

    private func ids(_ answer: ServedWorld.Answer) throws -> [Int] {
        try #require(try answer.object()["jobs"] as? [[String: Any]]).compactMap { $0["id"] as? Int }
    }

    @Test func aBatchIsEnqueuedWholeOrNotAtAll() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite)
            let answer = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                json: #"[{"tenant":"acme","kind":"a"},{"tenant":"nobody","kind":"b"}]"#
            )
            #expect(answer.status == 422)
            #expect(try answer.code() == "unknown_tenant")
            let count = try await world.pool.withConnection { connection in
                try await connection.query(sql: "select count(*) from leasehold.job").only.decode(0, as: Int64.self)
            }
            #expect(count == 0)
        }
    }

    @Test(arguments: [
        (#"{"tenant":"acme"}"#, "/kind to be there"), (#"{"tenant":1,"kind":"a"}"#, "/tenant to be a string"),
        (#"{"tenant":"acme","kind":"a","priority":"high"}"#, "/priority to be a whole number"),
        (#"{"tenant":"acme","kind":"a","args":[]}"#, "/args to be"), (#"[]"#, "1 to 1000"), ("{}", "to be a job"),
        (#"{"tenant":"acme","kind":"a","que":"x"}"#, "/que to be one of"), ("{", "to be JSON"), ("", "to be JSON"),
        (#"{"tenant":"acme","kind":"a","run_at":"tomorrow"}"#, "/run_at to be a time"),
        (#"[{"tenant":"acme","kind":"a"},{"tenant":"acme","kind":null}]"#, "kind"),
        (String(repeating: "[", count: 100_000), "nested"),
    ])
    func aBodyOfTheWrongShapeIsRefusedByPlace(_ body: String, _ place: String) async throws {
        try await withServer { world in
            let key = try await world.key(.jobsWrite)
            let answer = try await world.send("POST", "/v1/jobs", key: key, json: body)
            #expect(answer.status == 400)
            #expect(try #require(answer.object()["detail"] as? String).contains(place))
        }
    }

    @Test(arguments: [
        #"{"tenant":"acme","kind":"a","args":{"x":"\u0000"}}"#, #"{"tenant":"acme","kind":"a","args":{"x":1e999999}}"#,
        #"{"tenant":"acme","kind":"A"}"#, #"{"tenant":"acme","kind":"a","priority":101}"#,
        #"{"tenant":"acme","kind":"a","run_at":"2026-13-45T99:00:00Z"}"#,
        #"{"tenant":"acme","kind":"a","max_attempts":70000}"#, #"{"tenant":"acme","kind":"a","after":[999]}"#,
    ])
    func whatTheDatabaseCannotTakeIsTheClientsError(_ body: String) async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite)
            let answer = try await world.send("POST", "/v1/jobs", key: key, json: body)
            #expect(answer.status == 422 || answer.status == 400, "\(answer.status) \(answer.text)")
        }
    }

    @Test func aTraceParentIsCarriedInTheJob() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite, .jobsRead)
            let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
            let made = try await world.send(
                "POST",
                "/v1/jobs",
                key: key,
                json: #"{"tenant":"acme","kind":"a"}"#,
                headers: [("traceparent", parent)]
            )
            let id = try #require(try made.object()["id"] as? Int)
            let shown = try await world.send("GET", "/v1/jobs/\(id)", key: key)
            #expect(try shown.object()["trace_context"] as? String == parent)
        }
    }

    @Test(arguments: [
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true),
        ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
        ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
        ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
        ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
        ("00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false), ("", false), ("x", false),
    ])
    func onlyAWellFormedTraceParentIsTaken(_ text: String, _ isGood: Bool) {
        #expect((TraceParent(text) != nil) == isGood)
    }
}
