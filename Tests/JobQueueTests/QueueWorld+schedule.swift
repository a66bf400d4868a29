import Foundation
import LeaseholdCore
import Postgres

extension QueueWorld {
    /// Fires what is due at that time.
    ///
    /// - Returns: how many jobs that enqueued.
    @discardableResult
    func fire(at moment: Date, most: Int32 = 500) async throws -> Int {
        Int(
            try await sql("select jobs from leasehold.schedule_fire($1, null, $2)", most, moment).only
                .decode(0, as: Int32.self)
        )
    }

    @discardableResult
    func fire(in delay: Duration, most: Int32 = 500) async throws -> Int {
        try await fire(at: Date().addingTimeInterval(delay.seconds + 1), most: most)
    }

    func fireAll(at moment: Date) async throws {
        while try await fire(at: moment) > 0 {}
    }

    /// Gives a tenant an active credential.
    func connect(_ tenant: String) async throws {
        try await sql("insert into leasehold.provider (provider) values ('p') on conflict do nothing")
        try await sql(
            """
            insert into leasehold.credential (tenant_id, provider, state, generation, refresh_token)
            values ($1, 'p', 'active', 1, 'x')
            on conflict (tenant_id) do update set state = 'active', generation = 1, refresh_token = 'x'
            """,
            tenant
        )
    }
}

extension TenantID {
    static let t1 = TenantID(rawValue: "t1")!
}
