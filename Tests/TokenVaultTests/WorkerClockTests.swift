import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import TokenVault

/// A worker whose clock is wrong: expiry and schedule go by the database's.
@Suite struct WorkerClockTests {
    private let tenant = TenantID.numbered(0)

    @Test(arguments: [-3600.0, 3600.0])
    func aWrongClockOfAWorkerChangesNeitherExpiryNorSchedule(offset: Double) async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(
                wallClock: ManualWallClock(Date() + offset),
                settings: { $0.cacheTime = .zero }
            )
            try await world.connect(tenant, vault)
            // Not taken for expired, and not exchanged again.
            #expect(try await vault.accessToken(for: tenant).generation == 1)
            let (valid, due) = try await world.sql(
                """
                select extract(epoch from access_expires_at - clock_timestamp())::float8,
                    extract(epoch from refresh_due_at - access_issued_at)::float8
                from leasehold.credential
                """
            ).only.decode((Double, Double).self)
            #expect((3500...3600).contains(valid))
            #expect((0.69 * 3600...0.86 * 3600).contains(due))
            // Expired by the database's clock, whatever the worker's says.
            try await world.advance(by: .seconds(3600))
            #expect(try await vault.accessToken(for: tenant).generation == 2)
            #expect(world.fake.totals.succeeded["refresh_token"] == 1)
        }
    }
}
