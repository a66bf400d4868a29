import FakePitchly
import Foundation
import LeaseholdCore
import ServiceLifecycle
import TestSupport

@testable import TokenVault

/// Refresh services whose time passes only by hand, and a way to see that they have done all they can.
struct LapsedTime {
    let world: VaultWorld
    let clock: TestClock
    let vaults: [TokenVault]

    /// Sleepers of an idle service: the loop over due credentials, the replay of spools, the hourly upkeep.
    private static let sleepersOfAService = 3

    /// Runs a refresh service over each vault while `body` runs.
    func serving(_ body: () async throws -> Void) async throws {
        let logger = world.log.logger("refresh")
        let group = ServiceGroup(
            services: vaults.map { RefreshService(vault: $0, listens: false, logger: logger) },
            logger: world.log.logger("group")
        )
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await group.run() }
            do {
                try await body()
            } catch {
                await group.triggerGracefulShutdown()
                throw error
            }
            await group.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
    }

    /// Returns when every service sleeps and no exchange runs; one that has just been taken and has not
    /// begun may follow.
    func quiet() async {
        repeat {
            for vault in vaults { await vault.drain.drained() }
            await clock.sleepers(vaults.count * Self.sleepersOfAService)
        } while vaults.contains { $0.drain.runningCount > 0 }
    }

    /// Lets a second pass for the services again and again, until they have done what `isDone` asks for
    /// and are quiet.
    func pass(until isDone: () async throws -> Bool) async throws {
        await quiet()
        while try await !isDone() {
            clock.advance(by: .seconds(1))
            await quiet()
        }
    }

    /// Tenants `t0` up to `count`, each with a refresh token that nobody has presented yet, due at once.
    /// A schedule for everybody makes them needed.
    func storeGrants(_ count: Int) async throws {
        for index in 0..<count {
            let tenant = TenantID.numbered(index)
            let organization = try await world.addTenant(tenant)
            let grant = try world.fake.makeGrant(organization: organization)
            try await vaults[0].storeRefreshToken(Secret(grant.refreshToken), for: tenant)
        }
        try await world.sql(
            "insert into leasehold.schedule (name, kind, every_seconds) values ('all', 'test.kind', 3600)"
        )
    }
}
