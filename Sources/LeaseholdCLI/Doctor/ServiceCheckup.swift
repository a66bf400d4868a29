import Foundation
import LeaseholdCore
import Logging
import Postgres
import SQLFiles

/// The checks of `leasehold doctor` that ask the database; they change nothing there.
///
/// - `+server`: version, settings, roles, clock, tables.
/// - `+work`: queues, workers, lanes, leases, schedules, syncs.
/// - `+tokens`: credentials and their keys.
struct ServiceCheckup {
    let pool: PostgresPool
    let logger: Logger
    var wallClock: any WallClock = SystemWallClock()

    func findings() async -> [Finding] {
        var report = DoctorReport()
        await report.check("database.server") { try await server() }
        await report.check("database.schema") {
            let migrator = SchemaMigrator(pool: pool, logger: logger)
            try await migrator.check()
            return [Finding(.ok, "database.schema", "version \(migrator.targetVersion), as this program needs")]
        }
        // Everything below reads the schema; without it there is nothing more to say.
        guard report.findings.contains(where: { $0.check == "database.schema" && $0.level == .ok }) else {
            return report.findings
        }
        await report.check("database.vacuum") { try await tables() }
        await report.check("queue.service") { try await work() }
        await report.check("queue.lanes") { try await lanes() }
        await report.check("queue.leases") { try await leases() }
        await report.check("tokens.credentials") { try await credentials() }
        return report.findings
    }
}
