import Foundation
import JobQueue
import LeaseholdCore
import TestSupport
import Testing

@testable import ControlAPI

/// Many jobs by a filter and the log of actions, over HTTP and on the page.
@Suite struct ManyRouteTests {
    private func enqueue(_ world: ServedWorld, _ tenant: TenantID, _ count: Int) async throws -> [JobID] {
        let kind = try JobKind("report.build")
        return try await world.queue.enqueue((0..<count).map { _ in JobRequest(tenant: tenant, kind: kind) }).map(\.id)
    }

    @Test func aClientGoesOnUntilNothingIsLeft() async throws {
        try await withServer { world in
            let tenant = try await world.addTenant("acme")
            _ = try await enqueue(world, tenant, 5)
            let key = try await world.key(.jobsWrite, .tenantsRead)
            let first = try await world.send(
                "POST",
                "/v1/bulk/cancel",
                key: key,
                json: #"{"kind":"report.build","limit":3}"#
            )
            #expect(first.status == 200)
            #expect(try first.object()["done"] as? Int == 3)
            let next = try #require(try first.object()["goes_on"] as? Int)
            let second = try await world.send(
                "POST",
                "/v1/bulk/cancel",
                key: key,
                json: #"{"kind":"report.build","limit":3,"before":\#(next)}"#
            )
            #expect(try second.object()["done"] as? Int == 2)
            #expect(try second.object()["goes_on"] is NSNull)
            let log = try await world.send("GET", "/v1/actions?limit=2", key: key)
            let actions = try #require(try log.object()["actions"] as? [[String: Any]])
            #expect(actions.map { $0["count"] as? Int } == [5, 1])
            #expect((actions[0]["actor"] as? String)?.hasPrefix("test (key ") ?? false)
            #expect(actions.map { $0["via"] as? String } == ["api", "sql"])
        }
    }

    @Test(arguments: [
        ("cancel", "{}", 422), ("cancel", #"{"state":"ready"}"#, 422),
        ("retry", #"{"kind":"a","state":"running"}"#, 422),
        ("cancel", #"{"kind":"A"}"#, 400), ("cancel", #"{"kind":"a","limit":0}"#, 400),
        ("cancel", #"{"que":"a"}"#, 400), ("explode", #"{"kind":"a"}"#, 404),
        ("cancel", #"{"kind":"a","state":"x"}"#, 400),
        ("cancel", #"{"error":"\u0000"}"#, 400), ("cancel", "[]", 400), ("cancel", #"{"kind":"a","before":-1}"#, 200),
    ])
    func whatIsNoFilterIsRefused(_ verb: String, _ body: String, _ status: Int) async throws {
        try await withServer { world in
            let key = try await world.key(.jobsWrite)
            let answer = try await world.send("POST", "/v1/bulk/\(verb)", key: key, json: body)
            #expect(answer.status == status, "\(answer.text)")
        }
    }

    @Test func aKeyOfOneTenantReachesItsOwnJobsAndActionsOnly() async throws {
        try await withServer { world in
            let (acme, other) = (try await world.addTenant("acme"), try await world.addTenant("other"))
            _ = try await enqueue(world, acme, 2)
            _ = try await enqueue(world, other, 2)
            let key = try await world.key(.jobsWrite, .tenantsRead, tenant: acme)
            let foreign = try await world.send("POST", "/v1/bulk/cancel", key: key, json: #"{"tenant":"other"}"#)
            #expect(foreign.status == 403)
            let all = try await world.send("POST", "/v1/bulk/cancel", key: key, json: #"{"all":true}"#)
            #expect(try all.object()["done"] as? Int == 2)
            #expect(try await world.queue.steerAll(.count, JobSelection(tenant: other)).matched == 2)
            #expect(try await world.send("GET", "/v1/actions?tenant=other", key: key).status == 404)
            let actions = try #require(
                try await world.send("GET", "/v1/actions", key: key).object()["actions"] as? [[String: Any]]
            )
            #expect(actions.allSatisfy { $0["tenant"] as? String == "acme" } && !actions.isEmpty)
            #expect(try await world.send("GET", "/v1/actions?limit=0", key: key).status == 400)
        }
    }

    @Test(
        arguments: [
            ("{}", nil), (#"{"max_running": [null, 7]}"#, "max_running 7"),
            (#"{"state": ["active", "paused"]}"#, "state active → paused"),
            (#"{"kind": "a.b", "max_running": [3, null]}"#, "kind a.b, max_running 3 → –"),
            (#"{"scopes": [null, ["jobs:read", "jobs:write"]]}"#, "scopes jobs:read jobs:write"),
        ] as [(String, String?)]
    )
    func whatChangedIsSaidInWords(_ detail: String, _ words: String?) {
        #expect(PageRoutes.words(detail) == words)
    }

    @Test func aPersonRunsAllAgainThatFailedOfOneError() async throws {
        try await withServer { world in
            let failed = try await world.fillPages()
            let visitor = try await PageVisitor(world, .admin)
            #expect(try await visitor.open("/errors").text.contains("label=broken"))
            let list = "/jobs?kind=report.build&label=broken&state=discarded"
            let page = try await visitor.open(list)
            #expect(page.text.contains("name=\"label\" value=\"broken\""))
            #expect(!(try await visitor.open("/jobs?state=discarded").text.contains("action=\"/bulk/")))
            let token = try #require(page.text.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
            let pressed = try await world.post(
                "/bulk/retry",
                ["token": String(token), "kind": "report.build", "label": "broken", "state": "discarded"],
                cookie: visitor.cookie
            )
            #expect(pressed.status == 303)
            let next = try await visitor.open(try #require(pressed.header("location")))
            #expect(next.text.contains("Jobs that will run again: 1."))
            #expect(try await world.queue.show(failed).summary.state == .ready)
            let log = try await visitor.open("/actions")
            #expect(log.text.contains("visitor (key ") && log.text.contains("1 jobs"))
            let page2 = try await visitor.open("/jobs/\(failed)")
            let token2 = try #require(page2.text.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
            for (minutes, status) in [("30", 303), ("", 400), ("-1", 400)] {
                let fields = ["token": String(token2), "minutes": minutes]
                #expect(
                    try await world.post("/jobs/\(failed)/reschedule", fields, cookie: visitor.cookie).status == status
                )
            }
            #expect(try await world.queue.show(failed).summary.state == .scheduled)
            #expect(try await visitor.press("/jobs/\(failed)/discard", onPage: "/jobs/\(failed)").status == 303)
            #expect(try await visitor.open("/jobs/\(failed)").text.contains("Done by hand"))
            let reader = try await PageVisitor(world, .jobsRead, .tenantsRead)
            #expect(!(try await reader.open(list).text.contains("/bulk/")))
        }
    }
}
