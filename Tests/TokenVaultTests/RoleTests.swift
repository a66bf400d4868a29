import Foundation
import LeaseholdCore
import Postgres
import Testing

@testable import TokenVault

/// Every role does what it is for, and nobody else reads a sealed token.
@Suite struct RoleTests {
    private let tenant = TenantID.numbered(0)

    /// Runs as `role`, and says with which SQLSTATE that failed.
    private func failure(_ role: String, _ sql: String, _ world: VaultWorld) async throws -> String? {
        try await world.pool.withConnection { connection in
            try await connection.run(script: "set role \(role)")
            var state: String?
            do {
                try await connection.query(sql: sql)
            } catch let error as PostgresError {
                state = error.sqlState
            }
            try await connection.run(script: "reset role")
            return state
        }
    }

    @Test(arguments: [
        "select refresh_token from leasehold.credential", "select access_token from leasehold.credential",
        "select previous_refresh_token from leasehold.credential",
        "select refresh_token from leasehold.credential_archive",
        "select leasehold.exchange_begin('t0', 'p', gen_random_uuid(), gen_random_uuid(), 'refresh', null, 1, 1, 1)",
        "update leasehold.credential set generation = 9", "select leasehold.roles_apply()",
    ])
    func onlyTheVaultComesNearASealedToken(sql: String) async throws {
        try await withVaultWorld { world in
            try await world.connect(tenant, try await world.vault())
            for role in ["leasehold_worker", "leasehold_dashboard"] {
                #expect(try await failure(role, sql, world) == "42501", "\(role)")
            }
        }
    }

    @Test func aWorkerReadsAccessTokensByTheirFunctionOnly() async throws {
        try await withVaultWorld { world in
            try await world.connect(tenant, try await world.vault())
            let read = "select * from leasehold.credential_read('t0', null, 5000, 5000, false, 'c')"
            #expect(try await failure("leasehold_worker", read, world) == nil)
            #expect(try await failure("leasehold_worker", "select leasehold.credential_request('t0', 1)", world) == nil)
            #expect(try await failure("leasehold_dashboard", read, world) == "42501")
        }
    }

    @Test func aDashboardSeesStatusAndLogs() async throws {
        try await withVaultWorld { world in
            try await world.connect(tenant, try await world.vault())
            for name in ["token_health", "exchange_log", "provider_health"] {
                #expect(
                    try await failure("leasehold_dashboard", "select * from leasehold_dashboard.\(name)", world) == nil
                )
            }
            let columns = try await world.sql(
                """
                select count(*) from information_schema.columns
                where table_schema = 'leasehold_dashboard' and data_type = 'bytea'
                """
            ).only.decode(0, as: Int64.self)
            #expect(columns == 0)
        }
    }

    @Test func theVaultExchanges() async throws {
        try await withVaultWorld { world in
            try await world.connect(tenant, try await world.vault())
            let begin = """
                select * from leasehold.exchange_begin(
                    't0', 'pitchly', gen_random_uuid(), gen_random_uuid(), 'refresh', null, 1, 60000, 1000)
                """
            #expect(try await failure("leasehold_vault", begin, world) == nil)
            #expect(try await world.value("attempt_id is not null", tenant, as: Bool.self))
        }
    }
}
