import JobQueue
import LeaseholdCore
import Postgres
import TestSupport
import Testing

/// Who did what by hand is written down, whichever way it was done.
@Suite struct ActionLogTests {
    private func lines(_ world: QueueWorld, _ rest: String = "") async throws -> [String] {
        try await world.sql(
            """
            select concat_ws(' ', via, actor, verb, object, coalesce(name, tenant_id), job_id, count, detail)
            from leasehold_dashboard.action_log \(rest) order by action_id
            """
        ).map { try $0.decode(0, as: String.self) }
    }

    @Test func whatAProgramDoesInSomebodysNameCarriesIt() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            let ann = ActionSource(.page, "ann (key k1)")
            let queue = world.queue.acting(as: ann)
            let tenants = TenantStore(pool: world.pool).acting(as: ann)
            let job = try await queue.enqueue([JobRequest(tenant: tenant, kind: .noop)])[0].id
            _ = try await queue.cancel(job, reason: "enough")
            _ = try await queue.retry(job)
            _ = try await queue.discard(job, reason: "no use")
            try await tenants.setPaused(true, tenant)
            try await tenants.setPaused(true, tenant)
            try await tenants.setPaused(false, tenant)
            try await tenants.limit(tenant, to: QueueLimits(maxRunning: 3))
            try await queue.pause(QueueName("mail"))
            try await queue.resume(QueueName("mail"))
            try await queue.limit(.noop, to: QueueLimits(ratePerSecond: 2))
            #expect(
                try await lines(world, "where via = 'page'") == [
                    "page ann (key k1) cancel job a \(job) 1 {\"reason\": \"enough\"}",
                    "page ann (key k1) retry job a \(job) 1 {}",
                    "page ann (key k1) discard job a \(job) 1 {\"reason\": \"no use\"}",
                    "page ann (key k1) pause tenant a 1 {\"state\": [\"active\", \"paused\"]}",
                    "page ann (key k1) resume tenant a 1 {\"state\": [\"paused\", \"active\"]}",
                    "page ann (key k1) change tenant a 1 {\"max_running\": [null, 3]}",
                    "page ann (key k1) pause queue mail 1 {\"weight\": [null, 1]}",
                    "page ann (key k1) resume queue mail 1 {}",
                    "page ann (key k1) change kind noop 1 {\"rate_per_second\": [null, 2], \"retry_cap_seconds\": [null, 3600], \"retry_base_seconds\": [null, 2]}",
                ]
            )
            // The name does not stay with the connection.
            for _ in 0..<8 { try await world.queue.pause(QueueName("mail")) }
            #expect(try await lines(world, "where object = 'queue' and via = 'sql'").count == 1)
        }
    }

    @Test func whatPsqlDoesCarriesTheLogin() async throws {
        try await withWorld { world in
            _ = try await world.addTenants((1...300).map { "t\($0)" })
            try await world.sql("update leasehold.tenant set settings = '{\"key\": \"secret\"}' where tenant_id = 't1'")
            try await world.sql("delete from leasehold.tenant where tenant_id = 't2'")
            for _ in 0..<2 {
                try await world.sql(
                    "select leasehold.schedule_add('nightly', 'noop', every => '1 hour', replace => true)"
                )
            }
            try await world.sql("select leasehold.schedule_pause('nightly')")
            try await world.sql("select leasehold.schedule_remove('nightly')")
            let login = try await world.sql("select session_user::text").only.decode(0, as: String.self)
            let found = try await lines(world).map { $0.replacing(/\{.*every_seconds.*\}/, with: "{…}") }
            #expect(
                found == [
                    "sql \(login) add tenant 300 {}",
                    "sql \(login) change tenant t1 1 {\"settings\": [\"…\", \"…\"]}",
                    "sql \(login) remove tenant t2 1 {}", "sql \(login) add schedule nightly 1 {…}",
                    "sql \(login) pause schedule nightly 1 {}", "sql \(login) remove schedule nightly 1 {}",
                ]
            )
        }
    }

    @Test func manyJobsInBatchesAreOneLine() async throws {
        try await withWorld { world in
            let tenant = try await world.addTenants("a")[0]
            _ = try await world.queue.enqueue((0..<5).map { _ in JobRequest(tenant: tenant, kind: .noop) })
            let queue = world.queue.acting(as: ActionSource(.command, "ann"))
            let first = try await queue.steer(.cancel, JobSelection(tenant: tenant, kind: .noop), limit: 2)
            _ = try await queue.steer(
                .cancel,
                JobSelection(tenant: tenant, kind: .noop),
                before: first.goesOn,
                limit: 1
            )
            _ = try await queue.steerAll(.count, JobSelection(tenant: tenant))
            #expect(
                try await lines(world, "where via = 'command'")
                    == ["command ann cancel jobs a 3 {\"kind\": \"noop\"}"]
            )
            // One by one again afterwards, also in the same session.
            _ = try await queue.steerAll(.cancel, JobSelection(tenant: tenant), most: 1)
            let job = try await queue.enqueue([JobRequest(tenant: tenant, kind: .noop)])[0].id
            _ = try await queue.cancel(job)
            #expect(try await lines(world, "where job_id = \(job)").count == 1)
        }
    }

    @Test func aPageIsOfAllOrOfATenantOrOfAJob() async throws {
        try await withWorld { world in
            let tenants = try await world.addTenants("a", "b")
            let jobs = try await world.queue.enqueue(tenants.map { JobRequest(tenant: $0, kind: .noop) }).map(\.id)
            for job in jobs { _ = try await world.queue.cancel(job) }
            let log = ActionLog(pool: world.pool)
            #expect(try await log.list().map(\.verb) == ["cancel", "cancel", "add"])
            #expect(try await log.list(tenant: tenants[0]).map(\.target) == ["job \(jobs[0]) of a"])
            #expect(try await log.list(job: jobs[1]).map(\.target) == ["job \(jobs[1]) of b"])
            let newest = try #require(try await log.list(limit: 1).first)
            #expect(try await log.list(before: newest.id).count == 2)
        }
    }

    @Test func oldLinesGo() async throws {
        try await withWorld { world in
            _ = try await world.addTenants("a")
            _ = try await world.addTenants("b")
            try await world.sql(
                "update leasehold.action set done_at = done_at - interval '366 days' where action_id = (select min(action_id) from leasehold.action)"
            )
            try await world.queue.prune()
            #expect(try await world.number("select count(*) from leasehold.action") == 1)
        }
    }
}
