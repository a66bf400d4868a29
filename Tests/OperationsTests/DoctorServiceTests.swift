import Foundation
import LeaseholdCore
import Postgres
import TestSupport
import Testing

@testable import LeaseholdCLI

/// `leasehold doctor` finds what a test has broken, says what to do, and is content otherwise.
@Suite struct DoctorServiceTests {
    private func findings(_ world: OperationsWorld) async -> [Finding] {
        await ServiceCheckup(pool: world.pool, logger: world.database.log.logger("doctor")).findings()
    }

    /// What is worse than a note, as `check subject`.
    private func alarms(_ world: OperationsWorld) async -> Set<String> {
        Set(
            await findings(world).filter { $0.level == .warning || $0.level == .problem }
                .map { "\($0.check) \($0.subject ?? "")".trimmingCharacters(in: .whitespaces) }
        )
    }

    private func withWorld(_ body: (OperationsWorld) async throws -> Void) async throws {
        try await withDatabase { database in
            let world = try await OperationsWorld(database)
            // Of what the world has wrong on purpose, only what a test asks for.
            _ = try await world.pool.withConnection {
                try await $0.run(
                    script: """
                        delete from leasehold.sync_run where state = 'suspicious';
                        delete from leasehold.credential where tenant_id = 'c'
                        """
                )
            }
            try await body(world)
        }
    }

    private func breaking(_ sql: String, in world: OperationsWorld) async throws -> Set<String> {
        let before = await alarms(world)
        try await world.pool.withConnection { try await $0.run(script: sql) }
        return await alarms(world).subtracting(before)
    }

    @Test func aHealthyServiceHasNoAlarm() async throws {
        try await withWorld { world in
            let found = await findings(world)
            // The server of the tests may run without fsync, and other tests fill it with connections.
            let server = ["database.durability", "database.connections", "database.transactions"]
            let alarms = found.filter { ($0.level == .warning || $0.level == .problem) && !server.contains($0.check) }
            #expect(alarms == [])
            for check in [
                "database.version", "database.schema", "database.clock", "queue.workers", "queue.backlog",
                "queue.lanes",
                "queue.leases", "tokens.credentials",
            ] {
                #expect(found.contains { $0.check == check && $0.level == .ok }, "\(check)")
            }
        }
    }

    @Test func brokenThingsAreFound() async throws {
        try await withWorld { world in
            #expect(
                try await breaking(
                    "delete from leasehold.wake; delete from leasehold.lane; update leasehold.job set ready_at = ready_at - interval '5 minutes' where state = 'ready'",
                    in: world
                )
                    == ["queue.lanes a in default"]
            )
            #expect(
                try await breaking(
                    "update leasehold.provider set breaker = 'open', breaker_reason = 'x', breaker_cooldown = '1 minute'",
                    in: world
                )
                    == ["tokens.provider pitchly"]
            )
            #expect(
                try await breaking(
                    "update leasehold.credential set refresh_due_at = now() - interval '1 hour' where tenant_id = 'a'",
                    in: world
                )
                    == ["tokens.credentials a"]
            )
            #expect(
                try await breaking(
                    "insert into leasehold.sync_run (tenant_id, table_id, job_id, job_run, state, mode, dialect, finished_at) values ('a', 'tbl2', 1, 1, 'suspicious', 'full', 'platform', now())",
                    in: world
                )
                    == ["sync.suspicious a tbl2"]
            )
            let gone = try await breaking(
                "update leasehold.worker set heartbeat_at = now() - interval '2 hours'",
                in: world
            )
            #expect(gone.contains("queue.workers"))
            #expect(gone.contains("queue.workers w1 on here"))
            #expect(gone.contains("queue.leases w1 \(OperationsWorld.worker.uppercased())"))
        }
    }

    @Test func everyAlarmSaysWhatToDo() async throws {
        try await withDatabase { database in
            let world = try await OperationsWorld(database)
            try await world.pool.withConnection {
                try await $0.run(script: "update leasehold.worker set heartbeat_at = now() - interval '2 hours'")
            }
            let alarms = await findings(world).filter { $0.level == .warning || $0.level == .problem }
            #expect(alarms.count >= 5)
            for alarm in alarms { #expect(alarm.command?.isEmpty == false, "\(alarm.check): \(alarm.message)") }
        }
    }

    @Test func aDatabaseWithoutTheSchemaIsAProblemAndNothingMoreIsAsked() async throws {
        try await withEmptyDatabase { database in
            let found = await ServiceCheckup(pool: database.pool(size: 1), logger: database.log.logger("doctor"))
                .findings()
            #expect(found.contains { $0.check == "database.schema" && $0.level == .problem && $0.command != nil })
            #expect(!found.contains { $0.check.hasPrefix("queue.") })
        }
    }

    @Test func serverSettingsAreJudged() {
        var server = ServiceCheckup.Server(version: "13.2", versionNumber: 130_002)
        #expect(ServiceCheckup.version(server).map(\.level) == [.problem])
        server.isDurable = false
        server.vacuums = false
        #expect(ServiceCheckup.durability(server).map(\.level) == [.problem, .problem])
        server.skew = -3
        #expect(ServiceCheckup.clock(server).map(\.level) == [.warning])
        server.connections = 90
        #expect(ServiceCheckup.connections(server).map(\.level) == [.warning])
        server.connections = 80
        #expect(ServiceCheckup.connections(server).map(\.level) == [.ok])
        server.oldestTransactionSeconds = 301
        server.oldestTransactionPID = 42
        #expect(ServiceCheckup.transactions(server).map(\.subject) == ["pid 42"])
        server.missingRoles = ["leasehold_worker"]
        server.isSuperuser = true
        #expect(ServiceCheckup.roles(server).map(\.level) == [.warning, .note])
    }

    @Test func aSpoolIsJudgedByItsFolder() throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "spool-\(UUID().uuidString)").path()
        #expect(MachineCheckup.spool(folder).level == .problem)
        try FileManager.default.createDirectory(
            atPath: folder,
            withIntermediateDirectories: false,
            attributes: [.posixPermissions: 0o755]
        )
        defer { try? FileManager.default.removeItem(atPath: folder) }
        #expect(MachineCheckup.spool(folder).level == .warning)
        try FileManager.default.setAttributes([.posixPermissions: 0o700], ofItemAtPath: folder)
        #expect(MachineCheckup.spool(folder).level == .ok)
    }
}
