import Foundation
import JobQueue
import LeaseholdCore
import Logging
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

@Suite struct PageTests {
    private static let pages = [
        "/", "/jobs", "/queues", "/tenants", "/tokens", "/workers", "/errors", "/schedules", "/syncs",
        "/jobs?state=ready", "/jobs?state=running", "/jobs?state=scheduled", "/jobs?state=parked",
        "/jobs?state=discarded&error=yes", "/jobs?tenant=acme&error=no", "/jobs?before=1000", "/tenants?from=a&after=a",
        "/tokens?state=active&after=a", "/schedules?after=0", "/?refresh=10&done=paused", "/actions",
        "/actions?before=2", "/jobs?kind=report.build&label=broken&done=retry-many&count=3&left=1",
    ]

    @Test func everyPageIsWholeOverAnEmptyDatabase() async throws {
        try await withServer { world in
            let visitor = try await PageVisitor(world, .admin)
            for path in Self.pages {
                let page = try await visitor.open(path)
                #expect(page.status == 200, "\(path): \(page.text)")
                #expect(PageMarkup.problem(page.text) == nil, "\(path)")
            }
            for path in ["/jobs/1", "/tenants/acme", "/nothing"] {
                let page = try await visitor.open(path)
                #expect(page.status == 404)
                #expect(PageMarkup.problem(page.text) == nil, "\(path)")
            }
        }
    }

    @Test func everyPageIsWholeWithSomethingOfEverything() async throws {
        try await withServer { world in
            let failed = try await world.fillPages()
            let visitor = try await PageVisitor(world, .admin)
            for path in Self.pages + ["/jobs/\(failed)", "/tenants/acme", "/tenants/other"] {
                let page = try await visitor.open(path)
                #expect(page.status == 200, "\(path): \(page.text)")
                #expect(page.header("content-type") == "text/html; charset=utf-8")
                #expect(try #require(page.header("content-security-policy")).hasPrefix("default-src 'none'"))
                #expect(PageMarkup.problem(page.text) == nil, "\(path)")
                #expect(!page.text.contains("<script") && !page.text.contains("<b>"), "\(path) shows text as markup")
            }
            let shown: [(path: String, texts: [String])] = [
                ("/", ["acme"]), ("/jobs", ["report.build", "discarded", "completed"]),
                ("/jobs?state=running", ["report.build"]), ("/jobs?state=parked", ["report.build"]),
                ("/queues", ["default"]), ("/tenants", ["Name of acme", "Name of other"]),
                ("/tenants/acme", ["active", "connect", "Orders &amp; more", "report.build"]),
                ("/tokens", ["acme", "active"]), ("/workers", ["worker-1", "host-a"]),
                ("/errors", ["broken", "&lt;script&gt;alert"]), ("/schedules", ["nightly", "30 2 * * *"]),
                ("/syncs", ["Orders &amp; more", "merged"]),
                ("/jobs/\(failed)", ["discarded", "broken", "&lt;script&gt;alert", "&lt;b&gt;"]),
            ]
            for (path, texts) in shown {
                let page = try await visitor.open(path)
                for text in texts { #expect(page.text.contains(text), "\(path) does not show \(text)") }
            }
        }
    }

    @Test func nobodyLooksWithoutALoginAndAFormOfAnotherSiteDoesNothing() async throws {
        try await withServer { world in
            _ = try await world.addTenant("acme")
            let stranger = try await world.send("GET", "/jobs?state=ready", headers: [("Accept", "text/html")])
            #expect(stranger.status == 303)
            #expect(stranger.header("location") == "/login?then=%2Fjobs%3Fstate%3Dready")
            let login = try await world.send("GET", "/login?then=https://elsewhere.example/")
            #expect(PageMarkup.problem(login.text) == nil)
            #expect(login.text.contains("name=\"then\" value=\"/\""))
            let visitor = try await PageVisitor(world, .admin)
            for fields in [[:], ["token": ""], ["token": "guess"]] {
                let answer = try await world.post("/tenants/acme/pause", fields, cookie: visitor.cookie)
                #expect(answer.status == 403)
                #expect(answer.text.contains("expected a form of this page"))
            }
            let other = try await PageVisitor(world, .admin)
            let foreign = try #require(
                try await other.open("/tenants/acme").text.firstMatch(of: /name="token" value="([^"]+)"/)?.1
            )
            let crossed = try await world.post(
                "/tenants/acme/pause",
                ["token": String(foreign)],
                cookie: visitor.cookie
            )
            #expect(crossed.status == 403)
            #expect(try await TenantStore(pool: world.pool).show(TenantID("acme")).tenant.state == "active")
        }
    }

    @Test func buttonsDoWhatTheySay() async throws {
        try await withServer { world in
            let failed = try await world.fillPages()
            let visitor = try await PageVisitor(world, .admin)
            let paused = try await visitor.press("/tenants/acme/pause", onPage: "/tenants/acme")
            #expect(paused.status == 303)
            let next = try await visitor.open(try #require(paused.header("location")))
            #expect(next.text.contains("role=\"status\">Paused."))
            #expect(try await TenantStore(pool: world.pool).show(TenantID("acme")).tenant.state == "paused")
            #expect(try await visitor.press("/tenants/acme/resume", onPage: "/tenants/acme").status == 303)
            #expect(try await TenantStore(pool: world.pool).show(TenantID("acme")).tenant.state == "active")
            #expect(try await visitor.press("/jobs/\(failed)/retry", onPage: "/jobs/\(failed)").status == 303)
            #expect(try await world.queue.show(failed).summary.state == .ready)
            #expect(try await visitor.press("/jobs/\(failed)/cancel", onPage: "/jobs/\(failed)").status == 303)
            #expect(try await world.queue.show(failed).summary.state == .cancelled)
            #expect(try await visitor.press("/queues/default/pause", onPage: "/queues").status == 303)
            #expect(try await visitor.press("/queues/default/resume", onPage: "/queues").status == 303)
            #expect(world.log.entries.filter { $0.metadata["event"] == "page_action" }.count == 6)
            #expect(try await visitor.press("/logout", onPage: "/").status == 303)
            #expect(try await visitor.open("/").status == 303)
        }
    }

    @Test func limitsAreChangedWhileEverythingRuns() async throws {
        try await withServer { world in
            _ = try await world.fillPages()
            let visitor = try await PageVisitor(world, .admin)
            func send(_ path: String, _ most: String, _ rate: String, _ weight: String) async throws -> Int {
                let page = try await visitor.open("/tenants/acme")
                let token = try #require(page.text.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
                let fields = ["token": String(token), "max_running": most, "rate_per_second": rate, "weight": weight]
                return try await world.post(path, fields, cookie: visitor.cookie).status
            }
            let tenants = TenantStore(pool: world.pool)
            try await tenants.limit(
                TenantID("acme"),
                to: QueueLimits(ratePerSecond: 1, rateBurst: 7)
            )
            #expect(try await send("/tenants/acme/limits", "5", " 2.5 ", "3") == 303)
            let (tenant, load) = try await tenants.show(TenantID("acme"))
            #expect(tenant.maxRunning == 5 && tenant.weight == 3)
            #expect(load.ratePerSecond == 2.5 && load.rateBurst == 7)
            #expect(try await visitor.open("/tenants/acme").text.contains("name=\"rate_per_second\" value=\"2.5\""))
            #expect(try await send("/tenants/acme/limits", "", "", "") == 303)
            let cleared = try await tenants.show(TenantID("acme"))
            #expect(cleared.tenant.maxRunning == nil && cleared.load.rateBurst == nil && cleared.tenant.weight == 1)
            #expect(try await send("/queues/default/limits", "9", "", "2") == 303)
            let queue = try #require(try await world.queue.queues(named: .default).first)
            #expect(queue.limits == QueueLimits(maxRunning: 9) && queue.weight == 2)
            for wrong in [("0", "", ""), ("1.5", "", ""), ("many", "", ""), ("", "-1", ""), ("", "", "5000")] {
                #expect(try await send("/tenants/acme/limits", wrong.0, wrong.1, wrong.2) == 400)
            }
            #expect(try await send("/tenants/nobody/limits", "1", "", "") == 404)
            #expect(try await tenants.show(TenantID("acme")).tenant.maxRunning == nil)
            let looker = try await PageVisitor(world, .jobsRead, .tenantsRead)
            #expect(!(try await looker.open("/queues").text.contains("/limits")))
            #expect(!(try await looker.open("/tenants/acme").text.contains("/connect")))
            #expect(try await visitor.open("/tenants/acme").text.contains("href=\"/v1/tenants/acme/connect\""))
        }
    }

    @Test func aKeyThatMayOnlyLookGetsNoButtons() async throws {
        try await withServer { world in
            let failed = try await world.fillPages()
            let visitor = try await PageVisitor(world, .jobsRead, .tenantsRead)
            let page = try await visitor.open("/jobs/\(failed)")
            #expect(page.status == 200)
            #expect(!page.text.contains("/retry"))
            let token = try #require(page.text.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
            let forced = try await world.post(
                "/jobs/\(failed)/retry",
                ["token": String(token)],
                cookie: visitor.cookie
            )
            #expect(forced.status == 403)
            #expect(try await world.queue.show(failed).summary.state == .discarded)
            let bound = try await PageVisitor(world, .jobsRead, .tenantsRead, tenant: try TenantID("acme"))
            #expect(try await bound.open("/").status == 403)
        }
    }

    @Test func guessingKeysAtTheLoginIsSlowedDownAndAGoodOneIsNotCharged() async throws {
        try await withServer { world in
            for _ in 0..<3 { _ = try await PageVisitor(world, .admin) }
            var statuses: [Int] = []
            // The bucket of an address holds 100 and gains 5 a second.
            while statuses.last != 429, statuses.count < 5000 {
                statuses.append(try await world.post("/login", ["key": "lsk_guess\(statuses.count)"]).status)
            }
            #expect(statuses.last == 429)
            #expect(statuses.count > 100)
            #expect(Set(statuses.dropLast()) == [401])
            let refused = try await world.post("/login", ["key": "lsk_guess"])
            #expect(try #require(refused.header("retry-after").flatMap { Int($0) }) > 0)
        }
    }

    @Test func aPageThatTheDatabaseHoldsUpSaysSoAndTheAPIGoesOn() async throws {
        try await withServer(pageTimeout: .milliseconds(50)) { world in
            let visitor = try await PageVisitor(world, .admin)
            let key = try await world.key(.jobsRead)
            try await world.pool.withTransaction { connection in
                try await connection.run(script: "lock table leasehold.tenant")
                let page = try await visitor.open("/tenants")
                #expect(page.status == 503)
                #expect(page.text.contains("expected the database to find this within a few seconds"))
                #expect(try await world.send("GET", "/v1/jobs/1", key: key).status == 404)
            }
            #expect(try await visitor.open("/tenants").status == 200)
        }
    }

    @Test func everyTemplateCompiles() throws {
        for (name, bytes) in PageTemplates.sources {
            #expect(throws: Never.self, "\(name)") { try PageTemplates.compile(bytes) }
        }
    }

    @Test func aPlotOfNothingIsEmptyAndTheHighestBarIsWhole() {
        let zero = PagePlot.bars("x", [.init(swatch: "one", title: "a", values: [0, 0])], summary: "")
        #expect(!zero.svg.contains("<rect"))
        let two = PagePlot.bars("x", [.init(swatch: "one", title: "a", values: [1, 4])], summary: "")
        #expect(two.svg.contains("height=\"25.0\"") && two.svg.contains("height=\"100.0\""))
    }
}
