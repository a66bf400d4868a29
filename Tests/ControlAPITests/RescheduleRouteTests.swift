import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct RescheduleRouteTests {
    private func enqueue(_ world: ServedWorld, _ key: String) async throws -> Int {
        let made = try await world.send("POST", "/v1/jobs", key: key, json: #"{"tenant":"acme","kind":"report.build"}"#)
        return try #require(try made.object()["id"] as? Int)
    }

    private func reschedule(
        _ world: ServedWorld,
        _ job: Int,
        _ key: String,
        _ body: String = #"{"run_at":"2030-01-02T03:04:05.25+01:00"}"#
    ) async throws -> ServedWorld.Answer {
        try await world.send("POST", "/v1/jobs/\(job)/reschedule", key: key, json: body)
    }

    private func text(_ world: ServedWorld, _ sql: String) async throws -> String {
        try await world.pool.withConnection { connection in
            try await connection.query(sql: sql).only.decode(0, as: String.self)
        }
    }

    @Test func aWaitingJobGetsAnotherTimeAndTheLogSaysWhoseKeyGaveIt() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite, .jobsRead)
            let job = try await enqueue(world, key)
            let answer = try await reschedule(world, job, key)
            #expect(answer.status == 200)
            #expect(try answer.object()["id"] as? Int == job)
            #expect(try answer.object()["result"] as? String == "scheduled")
            let kept = try await text(world, "select (run_at at time zone 'UTC')::text from leasehold.job")
            #expect(kept == "2030-01-02 02:04:05.25")
            let shown = try await world.send("GET", "/v1/jobs/\(job)", key: key)
            #expect(try shown.object()["state"] as? String == "scheduled")
            let noted = try await text(
                world,
                "select verb || ' ' || via || ' ' || job_id from leasehold.action order by action_id desc limit 1"
            )
            #expect(noted == "reschedule api \(job)")
        }
    }

    @Test func aJobThatRunsOrHasEndedIsLeftAlone() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite)
            let (ended, running) = (try await enqueue(world, key), try await enqueue(world, key))
            _ = try await world.send("POST", "/v1/jobs/\(ended)/cancel", key: key)
            try await world.pool.withConnection { connection in
                try await connection.run(
                    script: """
                        select leasehold.worker_register('00000000-0000-0000-0000-000000000001', 'w', 'h', 1, '1',
                            '{default}', '{}', 10, 3600);
                        select leasehold.job_claim('00000000-0000-0000-0000-000000000001', '{default}', 10);
                        """
                )
            }
            #expect(try await reschedule(world, ended, key).object()["result"] as? String == "ended")
            #expect(try await reschedule(world, running, key).object()["result"] as? String == "running")
        }
    }

    @Test func itTakesAKeyThatMayWriteTheTenantsJobs() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            _ = try await world.addTenant("other")
            let job = try await enqueue(world, try await world.key(.jobsWrite))
            #expect(try await reschedule(world, job, try await world.key(.jobsRead)).status == 403)
            let stranger = try await world.key(.jobsWrite, tenant: try TenantID("other"))
            #expect(try await reschedule(world, job, stranger).status == 404)
            let own = try await world.key(.jobsWrite, tenant: try TenantID("acme"))
            #expect(try await reschedule(world, job, own).status == 200)
            #expect(try await reschedule(world, 999_999, own).status == 404)
        }
    }

    @Test(arguments: [
        ("{}", "/run_at to be there"), (#"{"run_at":null}"#, "/run_at"),
        (#"{"run_at":"tomorrow"}"#, "/run_at to be a time"),
        (#"{"run_at":"2026-02-30T00:00:00Z"}"#, "/run_at to be a time"), (#"{"run_at":17}"#, "/run_at to be a string"),
        (#"{"run_at":"2026-11-24T08:00:00Z","at":1}"#, "/at to be run_at"), ("", "to be JSON"),
    ])
    func aBodyThatIsNoTimeIsRefusedByPlace(_ body: String, _ place: String) async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let key = try await world.key(.jobsWrite)
            let answer = try await reschedule(world, try await enqueue(world, key), key, body)
            #expect(answer.status == 400)
            let detail = try #require(try answer.object()["detail"] as? String)
            #expect(detail.contains(place), "\(detail)")
        }
    }

    @Test(arguments: [
        ("1970-01-01T00:00:01Z", 1.0), ("1970-01-01t00:00:00.5z", 0.5), ("1970-01-01 01:00:00+01:00", 0),
        ("1969-12-31T22:30:00-01:30", 0), ("2028-02-29T12:00:00Z", 1_835_438_400),
    ])
    func aTimeMeansItsMoment(_ text: String, _ seconds: Double) {
        #expect(RequestTime.date(text)?.timeIntervalSince1970 == seconds)
    }

    @Test(arguments: [
        "2027-02-29T12:00:00Z", "2026-00-01T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z",
        "2026-01-01T00:00:00+24:00", "2026-01-01T00:00:00", "2026-01-01", "infinity", "",
    ])
    func aTimeThatNoClockShowsIsNone(_ text: String) {
        #expect(RequestTime.date(text) == nil)
    }
}
