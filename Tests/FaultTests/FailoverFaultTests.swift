import FakePitchly
import FaultKit
import Foundation
import Postgres
import TestSupport
import Testing

extension FaultTests {
    /// An asynchronous standby takes over that has not received the last commits.
    @Suite struct FailoverFaultTests {
        @Test func afterFiftyLostRotationsAllFiftyTenantsWorkWithoutAPerson() async throws {
            try await failover(tenants: 50) { stage, standby in
                try await stage.rotateAll()
                let rotated = try await stage.standings().map(\.generation)
                let posts = stage.provider.totals.posts
                // The standby knows nothing of it.
                let behind = try await standby.generations()
                #expect(zip(behind, rotated).allSatisfy { $0 < $1 })

                try await stage.fail(over: standby)
                try await stage.waitUntil("every rotation is replayed") { standings in
                    zip(standings, rotated).allSatisfy { $0.generation == $1 && $0.isHealthy }
                }
                #expect(stage.provider.totals.posts == posts)
                for tenant in stage.tenants {
                    #expect(try await stage.database.log(of: tenant).last?.outcome == "replayed")
                }
                try await stage.expectAllWork()
            }
        }

        @Test func anAnswerThatComesAfterThePromotionIsSavedOnTheNewPrimary() async throws {
            try await failover(tenants: 4) { stage, standby in
                let gates = stage.holdAll()
                let before = try await stage.standings().map(\.generation)
                try await stage.database.nudge(stage.tenants)
                for gate in gates { await gate.arrivals(1) }
                let posts = stage.provider.totals.posts
                // Not even the intents have arrived there.
                try await stage.fail(over: standby)
                for gate in gates { gate.open() }
                try await stage.waitUntil("every answer is saved") { standings in
                    zip(standings, before).allSatisfy { $0.generation == $1 + 1 && $0.isHealthy }
                }
                #expect(stage.provider.totals.posts == posts)
                try await stage.expectAllWork()
            }
        }

        @Test func anIntentLostWithItsPrimaryAndItsWorkerIsStillKnownToTheSpool() async throws {
            try await failover(tenants: 4) { stage, standby in
                let gates = stage.holdAll()
                let before = try await stage.standings().map(\.generation)
                try await stage.database.nudge(stage.tenants)
                for gate in gates { await gate.arrivals(1) }
                for worker in await stage.fleet.all { worker.signal(SIGKILL) }
                for gate in gates { gate.open() }
                try await stage.fail(over: standby)
                // Due and free on the new primary: only the claims in the spool keep them from being
                // presented again.
                try await stage.database.nudge(stage.tenants)
                try await stage.waitUntil("every tenant has a new pair") { standings in
                    zip(standings, before).allSatisfy { $0.generation > $1 && $0.isHealthy }
                }
                for tenant in stage.tenants {
                    #expect(try await stage.database.log(of: tenant).last?.rung == "access_token")
                }
                try await stage.expectAllWork()
            }
        }

        /// A standby that receives nothing any more, and a stage on its primary.
        private func failover(
            tenants: Int,
            _ body: @Sendable (FaultStage, PrivatePostgres) async throws -> Void
        ) async throws {
            try await stage(
                {
                    $0.tenants = tenants
                    $0.workers = 2
                    $0.exchangesPerWorker = 4
                },
                { stage in
                    try await stage.rotateAll()
                    try await stage.server.withStandby { standby in
                        try await standby.stopReceiving(logger: FaultTests.logger)
                        try await body(stage, standby)
                    }
                }
            )
        }
    }
}

extension FaultStage {
    fileprivate func standings() async throws -> [CredentialStanding] { try await database.standings(of: tenants) }

    /// Every tenant's next POST waits at the provider, after its token was rotated.
    fileprivate func holdAll() -> [FaultGate] {
        tenants.map { tenant in
            let gate = FaultGate()
            var rule = FaultRule(.hold(gate, .after), at: .token)
            rule.organization = tenant
            provider.faults.add(rule)
            return gate
        }
    }

    /// One more exchange of everybody: what the rows hold is what the provider accepts.
    fileprivate func expectAllWork(sourceLocation: SourceLocation = #_sourceLocation) async throws {
        try await rotateAll()
        let standings = try await standings()
        #expect(standings.allSatisfy { $0.isHealthy }, "\(standings)", sourceLocation: sourceLocation)
        #expect(await presentedTwice() == 0, sourceLocation: sourceLocation)
        #expect(try await !secretsAreLogged(), sourceLocation: sourceLocation)
    }
}

extension PrivatePostgres {
    fileprivate func generations() async throws -> [Int64] {
        try await withPool(FaultTests.logger) { pool in
            try await pool.withConnection { connection in
                try await connection.query(sql: "select generation from leasehold.credential order by tenant_id")
                    .map { try $0.decode(0, as: Int64.self) }
            }
        }
    }
}
