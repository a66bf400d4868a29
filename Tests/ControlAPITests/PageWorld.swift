import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import ControlAPI

/// Somebody who is logged in to the page.
struct PageVisitor {
    let world: ServedWorld
    let cookie: String

    /// Logs in with a new key.
    init(_ world: ServedWorld, _ scopes: APIScope..., tenant: TenantID? = nil) async throws {
        self.world = world
        let key = try await world.keys.create(name: "visitor", scopes: Set(scopes), tenant: tenant).key.reveal()
        let answer = try await world.post("/login", ["key": " \(key)\n", "then": "/jobs"])
        #expect(answer.status == 303)
        #expect(answer.header("location") == "/jobs")
        let header = try #require(answer.header("set-cookie"))
        #expect(header.contains("HttpOnly; SameSite=Strict"))
        cookie = String(header.prefix { $0 != ";" })
    }

    func open(_ path: String) async throws -> ServedWorld.Answer {
        try await world.send("GET", path, headers: [("Cookie", cookie), ("Accept", "text/html")])
    }

    /// Sends a form with the token that the page at `path` carries.
    func press(_ action: String, onPage path: String) async throws -> ServedWorld.Answer {
        let page = try await open(path)
        #expect(page.text.contains("action=\"\(action)\""), "\(path) has no button for \(action)")
        let token = try #require(page.text.firstMatch(of: /name="token" value="([^"]+)"/)?.1)
        return try await world.post(action, ["token": String(token)], cookie: cookie)
    }
}

extension ServedWorld {
    var queue: JobQueue { JobQueue(pool: pool, logger: log.logger("queue")) }

    func post(_ path: String, _ fields: [String: String], cookie: String? = nil) async throws -> Answer {
        let body = fields.map { "\(queryEncoded($0.key))=\(queryEncoded($0.value))" }.joined(separator: "&")
        var headers = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "text/html")]
        if let cookie { headers.append(("Cookie", cookie)) }
        return try await send("POST", path, headers: headers, body: Array(body.utf8))
    }

    /// Something of everything that a page shows.
    ///
    /// - Returns: the job that failed.
    func fillPages() async throws -> JobID {
        let acme = try await addTenant("acme")
        _ = try await addTenant("other")
        let session = try fake.makeSession(organization: fake.organizationIDs[0])
        let connected = try await send(
            "POST",
            "/v1/tenants/acme/credential",
            key: try await key(.tokensWrite),
            json: "{\"access_token\":\"\(session)\"}"
        )
        #expect(connected.status == 201, "\(connected.text)")
        let kind = try JobKind("report.build")
        let requests = (0..<6).map { JobRequest(tenant: acme, kind: kind, args: "{\"text\":\"<b>&\\\"'\($0)\"}") }
        let ids = try await queue.enqueue(requests).map(\.id)
        let worker = WorkerID()
        try await queue.register(
            WorkerRegistration(id: worker, name: "worker-1", queues: [.default], kinds: [kind], host: "host-a")
        )
        let claimed = try await queue.claim(ClaimRequest(worker: worker, queues: [.default], limit: 4))
        try #require(claimed.count == 4)
        let outcomes: [JobOutcome] = [
            .completed, .discard(reason: "<script>alert(1)</script>"), .park(reason: "needs a person"),
        ]
        for (job, outcome) in zip(claimed, outcomes) {
            _ = try await queue.settle([Settlement(job: job.id, run: job.run, outcome: outcome, errorLabel: "broken")])
        }
        try await queue.addSchedule(
            ScheduleRequest(name: "nightly", kind: kind, rhythm: .cron("30 2 * * *"), audience: .tenant(acme))
        )
        try await mirror(job: ids[0])
        return claimed[1].id
    }

    private func mirror(job: JobID) async throws {
        try await pool.withConnection { connection in
            try await connection.run(
                script: """
                    insert into leasehold.mirror_table (tenant_id, table_id, workspace_id, name, record_count)
                        values ('acme', 'tbl1', 'wsp1', 'Orders & more', 1234);
                    insert into leasehold.sync_run (tenant_id, table_id, job_id, job_run, state, mode, dialect,
                            rows, inserted, updated, deleted, unchanged, finished_at)
                        values ('acme', 'tbl1', \(job), 1, 'merged', 'full', 'v2', 1234, 1200, 30, 4, 0, clock_timestamp());
                    """
            )
        }
    }
}

/// Whether every element of a page is closed in order, and what else a browser would have to guess.
enum PageMarkup {
    private static let void: Set<String> = ["meta", "link", "input", "rect", "line"]

    /// What is wrong, in words; nil if nothing is.
    static func problem(_ text: String) -> String? {
        var open: [String] = []
        for tag in tags(text) where !void.contains(tag.name) && !tag.name.hasPrefix("!") {
            if !tag.isEnd {
                open.append(tag.name)
            } else if open.popLast() != tag.name {
                return "</\(tag.name)> closes nothing"
            }
        }
        if !open.isEmpty { return "left open: \(open)" }
        if text.contains("{{") { return "a template shows through" }
        let headings = tags(text).count { $0.name == "h1" && !$0.isEnd }
        return headings == 1 ? nil : "\(headings) headings of the first level"
    }

    /// Every tag, in order; attributes are skipped, with whatever stands in their quotes.
    private static func tags(_ text: String) -> [(name: String, isEnd: Bool)] {
        let bytes = Array(text.utf8)
        var tags: [(String, Bool)] = []
        var at = 0
        while let start = bytes[at...].firstIndex(of: UInt8(ascii: "<")) {
            var (end, isQuoted) = (start + 1, false)
            while end < bytes.count, isQuoted || bytes[end] != UInt8(ascii: ">") {
                if bytes[end] == UInt8(ascii: "\"") { isQuoted.toggle() }
                end += 1
            }
            let words = String(decoding: bytes[(start + 1)..<end], as: UTF8.self).split(separator: " ")
            let name = words.first ?? ""
            tags.append((name.filter { $0 != "/" }, name.hasPrefix("/")))
            at = min(end + 1, bytes.count)
        }
        return tags
    }
}
