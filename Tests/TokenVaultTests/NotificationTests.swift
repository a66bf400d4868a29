import FakePitchly
import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

/// What is said on the channel `leasehold_credential`, which services and dashboards may listen to.
@Suite struct NotificationTests {
    private let tenant = TenantID.numbered(0)

    /// The payloads that come while `body` runs, up to `count`.
    private func heard(_ count: Int, _ world: VaultWorld, _ body: () async throws -> Void) async throws -> [String] {
        try await world.pool.withNotifications(on: ["leasehold_credential"]) { events in
            var heard: [String] = []
            var iterator = events.makeAsyncIterator()
            guard case .listening? = await iterator.next() else {
                Issue.record("expected to listen first")
                return []
            }
            try await body()
            while heard.count < count, let event = await iterator.next() {
                if case .notification(let notification) = event { heard.append(notification.payload) }
            }
            return heard
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func aVerdictAndTheConnectionThatEndsItAreAnnounced() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault(
                profile: { $0.allowsAccessTokenExchange = false },
                settings: {
                    $0.cacheTime = .zero
                    $0.shortPatience = .zero
                }
            )
            let organization = try await world.addTenant(tenant)
            try await world.connect(tenant, vault)
            world.fake.revokeGrants(organization: organization)
            try await world.advance(by: .seconds(3700))
            let payloads = try await heard(2, world) {
                _ = try await vault.tend(tenant, generation: 1)
                for _ in 0..<6 {
                    try await world.advance(by: .seconds(900))
                    _ = try await vault.recover(tenant)
                }
                try await world.connect(tenant, vault)
            }
            #expect(payloads == ["needs_authorization t0", "saved t0"])
        }
    }

    @Test(.timeLimit(.minutes(4)))
    func aRequestIsAnnouncedOnceAndSoIsItsFulfilment() async throws {
        try await withVaultWorld { world in
            let vault = try await world.vault()
            try await world.connect(tenant, vault)
            let payloads = try await heard(2, world) {
                for _ in 0..<3 { try await vault.store.request(tenant, seen: 1) }
                let due = try #require(try await vault.store.takeDue(most: 1, settings: vault.settings).due.first)
                #expect(due.tenant == tenant && due.generation == 1)
                _ = try await vault.tend(tenant, generation: 1)
            }
            #expect(payloads == ["requested t0", "saved t0"])
        }
    }
}
