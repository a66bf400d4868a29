import FakePitchly
import Foundation
import JobQueue
import LeaseholdCore
import Pitchly
import Postgres
import TestSupport
import Testing

@testable import PitchlySync

@Suite("A tenant sync")
struct TenantSyncTests {
    @Test("asks for one sync per table, also when it is asked twice")
    func oneJobPerTable() async throws {
        try await SyncWorld.withWorld { world in
            for _ in 1...2 {
                #expect(try await world.jobs.sync(world.context(0)) == .completed)
                let jobs = try await world.rows(
                    "select tenant_id, kind, args ->> 'table' as table_id from leasehold.job"
                )
                #expect(
                    try jobs.map { try $0.decode("kind", as: String.self) } == [
                        "pitchly.sync_table", "pitchly.sync_table",
                    ]
                )
                #expect(try jobs.map { try $0.decode("tenant_id", as: String.self) } == ["tenant-0", "tenant-0"])
                let tables = try Set(jobs.map { try $0.decode("table_id", as: String.self) })
                #expect(tables == Set(try world.tables(0).map(\.id)))
            }
        }
    }

    @Test("remembers once that a table was asked for while its sync ran")
    func secondRequest() async throws {
        try await SyncWorld.withWorld { world in
            let queue = JobQueue(pool: world.pool, logger: world.log.logger("queue"))
            let worker = WorkerID()
            try await queue.register(
                WorkerRegistration(id: worker, name: "w", queues: [.default], kinds: [SyncJobs.syncTableKind])
            )
            let table = try world.tables(0)[0].id
            let request = { try await world.jobs.request(table, of: world.tenant(0)) }
            let first = try await request()
            let running = try #require(
                try await queue.claim(ClaimRequest(worker: worker, queues: [.default], limit: 5)).first
            )
            #expect(running.id == first)
            for _ in 1...3 { #expect(try await request() == first) }
            #expect(try await queue.claim(ClaimRequest(worker: worker, queues: [.default], limit: 5)).isEmpty)
            _ = try await queue.settle([Settlement(job: running.id, run: running.run, outcome: .completed)])
            let again = try await queue.claim(ClaimRequest(worker: worker, queues: [.default], limit: 5))
            #expect(again.count == 1)
            #expect(again.first?.args.contains(table) == true)
            let second = try #require(again.first)
            _ = try await queue.settle([Settlement(job: second.id, run: second.run, outcome: .completed)])
            #expect(try await queue.claim(ClaimRequest(worker: worker, queues: [.default], limit: 5)).isEmpty)
        }
    }

    @Test("notes new tables and those that are gone, and syncs only what is there")
    func tablesComeAndGo() async throws {
        try await SyncWorld.withWorld { world in
            let organization = world.server.organizationIDs[0]
            let gone = try world.tables(0)[0].id
            let new = try world.server.makeTable(organization: organization, name: "New", records: 3).id
            try world.server.dropTable(gone)
            #expect(try await world.jobs.sync(world.context(0)) == .completed)
            let states = try await world.rows(
                "select table_id, state from leasehold.mirror_table where tenant_id = 'tenant-0' order by name"
            )
            var byTable: [String: String] = [:]
            for row in states { byTable[try row.decode("table_id")] = try row.decode("state", as: String.self) }
            #expect(byTable[gone] == "gone")
            #expect(byTable[new] == "live")
            let asked = try await world.rows("select args ->> 'table' as id from leasehold.job")
            let ids = try asked.map { try $0.decode("id", as: String.self) }
            #expect(ids.contains(new) && !ids.contains(gone))
        }
    }

    @Test("reads the workspaces that the tenant's settings name, and no others")
    func chosenWorkspaces() async throws {
        try await SyncWorld.withWorld(.init { $0.fake.data.workspacesPerOrganization = 3 }) { world in
            let workspaces = try world.server.organization(world.server.organizationIDs[0]).workspaces
            _ = try await world.rows(
                "update leasehold.tenant set settings = jsonb_build_object('pitchly', jsonb_build_object('workspaces', $1::text::jsonb))",
                #"["\#(workspaces[1].id)", "wksGoneGoneGoneGone1"]"#
            )
            #expect(try await world.jobs.sync(world.context(0)) == .completed)
            let live = try await world.rows(
                "select distinct workspace_id from leasehold.mirror_table where tenant_id = 'tenant-0' and state = 'live'"
            )
            #expect(try live.map { try $0.decode(0, as: String.self) } == [workspaces[1].id])
        }
    }

    @Test("fails clearly when it sees none of the chosen workspaces, and marks nothing as gone")
    func noWorkspace() async throws {
        try await SyncWorld.withWorld { world in
            _ = try await world.rows(
                #"update leasehold.tenant set settings = '{"pitchly": {"workspaces": ["wksNobodyKnowsThis01"]}}'"#
            )
            let outcome = try await world.jobs.sync(world.context(0))
            guard case .retry(let reason, nil) = outcome else {
                Issue.record("expected a retry, got \(outcome)")
                return
            }
            #expect(reason.contains("wksNobodyKnowsThis01"))
            let gone = try await world.rows("select count(*) from leasehold.mirror_table where state = 'gone'").only
            #expect(try gone.decode(0, as: Int.self) == 0)
        }
    }

    @Test("says how to name the workspaces when the API cannot list them")
    func noListing() async throws {
        let documents = try TestDocuments(["platform_workspaces.graphql": "query workspaces { allWorkspaces { id } }"])
        try await SyncWorld.withWorld(.init { $0.documents = documents.value }) { world in
            guard case .retry(let reason, nil) = try await world.jobs.sync(world.context(0)) else {
                Issue.record("expected a retry")
                return
            }
            #expect(reason.contains("allWorkspaces") && reason.contains("update leasehold.tenant set settings"))
        }
    }

    @Test(
        "parks without authorization and rests without a token, so that no attempt is lost",
        arguments: [
            (SyncInterruption.needsAuthorization(tenant: TenantID(rawValue: "t")!), "park"),
            (.noTokenNow(reason: "breaker", retryAfter: .seconds(9)), "snooze"),
        ]
    )
    func tokens(interruption: SyncInterruption, expected: String) async throws {
        try await SyncWorld.withWorld(.init { $0.tokens = Refusing(error: interruption) }) { world in
            let table = try world.tables(0)[0]
            for outcome in [try await world.jobs.sync(world.context(0)), try await world.sync(table, of: 0)] {
                switch outcome {
                case .park(let reason): #expect(expected == "park" && reason.contains("leasehold tenants connect"))
                case .snooze(let delay, _): #expect(expected == "snooze" && delay == .seconds(9))
                default: Issue.record("unexpected \(outcome)")
                }
            }
        }
    }

    private struct Refusing: AccessTokenProvider {
        let error: SyncInterruption

        func accessToken(replacing failedGeneration: Int64?) async throws -> PitchlyAccessToken { throw error }
    }
}
