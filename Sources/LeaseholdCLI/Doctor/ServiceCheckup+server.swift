import Foundation
import LeaseholdCore
import Postgres
import SQLFiles

extension ServiceCheckup {
    /// What the server says of itself.
    struct Server: Sendable {
        var version = ""
        var versionNumber: Int32 = 0
        /// The server's clock minus this machine's, in seconds.
        var skew = 0.0
        var isDurable = true
        var vacuums = true
        var connections: Int64 = 0
        var maxConnections: Int32 = 100
        var oldestTransactionSeconds: Double?
        var oldestTransactionPID: Int32?
        var transactionAge: Int32 = 0
        var user = ""
        var isSuperuser = false
        var missingRoles: [String] = []
    }

    /// The oldest PostgreSQL that has all the statements use.
    private static let oldestVersion: Int32 = 140_000
    private static let skewLimit = 2.0
    private static let transactionLimit = 300.0

    func server() async throws -> [Finding] {
        let before = wallClock.now()
        let row = try await pool.query(.doctorServer).only
        let after = wallClock.now()
        let server = Server(
            version: try row.decode("version"),
            versionNumber: try row.decode("version_number"),
            skew: try row.decode("now", as: Date.self).timeIntervalSince(before) - after.timeIntervalSince(before) / 2,
            isDurable: try row.decode("is_durable"),
            vacuums: try row.decode("vacuums"),
            connections: try row.decode("connections"),
            maxConnections: try row.decode("max_connections"),
            oldestTransactionSeconds: try row.decode("oldest_transaction_seconds"),
            oldestTransactionPID: try row.decode("oldest_transaction_pid"),
            transactionAge: try row.decode("transaction_age"),
            user: try row.decode("user_name"),
            isSuperuser: try row.decode("is_superuser"),
            missingRoles: try row.decode("missing_roles")
        )
        return Self.version(server) + Self.durability(server) + Self.clock(server) + Self.connections(server)
            + Self.transactions(server) + Self.roles(server)
    }

    static func version(_ server: Server) -> [Finding] {
        let check = "database.version"
        guard server.versionNumber >= oldestVersion else {
            return [
                Finding(
                    .problem,
                    check,
                    "expected PostgreSQL 14 or newer, got \(server.version)",
                    command: "upgrade the server: pg_upgrade --help"
                )
            ]
        }
        return [Finding(.ok, check, "PostgreSQL \(server.version)")]
    }

    static func durability(_ server: Server) -> [Finding] {
        var findings: [Finding] = []
        if server.isDurable {
            findings.append(Finding(.ok, "database.durability", "fsync and full_page_writes are on"))
        } else {
            findings.append(
                Finding(
                    .problem,
                    "database.durability",
                    "expected fsync and full_page_writes on: without them a power cut can bring back a spent refresh token",
                    command: "psql -c 'alter system set fsync = on' -c 'alter system set full_page_writes = on'"
                        + " -c 'select pg_reload_conf()'"
                )
            )
        }
        if !server.vacuums {
            findings.append(
                Finding(
                    .problem,
                    "database.autovacuum",
                    "expected autovacuum and track_counts on: claims slow down with every dead row",
                    command: "psql -c 'alter system set autovacuum = on' -c 'alter system set track_counts = on'"
                        + " -c 'select pg_reload_conf()'"
                )
            )
        }
        return findings
    }

    static func clock(_ server: Server) -> [Finding] {
        let check = "database.clock"
        let text = "this machine and the server are \(String(format: "%.1f", abs(server.skew))) s apart"
        guard abs(server.skew) > skewLimit else { return [Finding(.ok, check, text)] }
        return [
            Finding(
                .warning,
                check,
                "expected clocks at most \(Int(skewLimit)) s apart; \(text)",
                command: "timedatectl timesync-status"
            )
        ]
    }

    static func connections(_ server: Server) -> [Finding] {
        let check = "database.connections"
        let text = "\(server.connections) of \(server.maxConnections) connections are in use"
        guard server.connections * 5 > Int64(server.maxConnections) * 4 else { return [Finding(.ok, check, text)] }
        return [
            Finding(
                .warning,
                check,
                "expected at most four fifths; \(text)",
                command: "lower LEASEHOLD_DATABASE_POOL_SIZE, or see deploy/pgbouncer"
            )
        ]
    }

    static func transactions(_ server: Server) -> [Finding] {
        var findings: [Finding] = []
        if let seconds = server.oldestTransactionSeconds, let pid = server.oldestTransactionPID,
            seconds > transactionLimit
        {
            findings.append(
                Finding(
                    .warning,
                    "database.transactions",
                    of: "pid \(pid)",
                    "a transaction has been open for \(Times.span(seconds)): dead rows after it cannot be removed",
                    command: "psql -c 'select query, state from pg_stat_activity where pid = \(pid)'"
                        + " -c 'select pg_terminate_backend(\(pid))'"
                )
            )
        }
        if server.transactionAge > 1_000_000_000 {
            findings.append(
                Finding(
                    .problem,
                    "database.transactions",
                    "the oldest transaction id is \(server.transactionAge) old, half the way to a stop",
                    command: "vacuumdb --freeze"
                )
            )
        }
        return findings
    }

    static func roles(_ server: Server) -> [Finding] {
        let check = "database.roles"
        var findings: [Finding] = []
        if !server.missingRoles.isEmpty {
            findings.append(
                Finding(
                    .warning,
                    check,
                    "expected the roles of deploy/postgres/roles.sql, missing: \(server.missingRoles.joined(separator: ", "))",
                    command: "psql -f deploy/postgres/roles.sql, as an administrator"
                )
            )
        }
        if server.isSuperuser {
            findings.append(
                Finding(
                    .note,
                    check,
                    of: server.user,
                    "is a superuser; a worker needs leasehold_worker, and leasehold_vault where it refreshes",
                    command: "psql -c 'create role w login in role leasehold_worker, leasehold_vault'"
                )
            )
        }
        return findings.isEmpty ? [Finding(.ok, check, "all there; this one is \(server.user)")] : findings
    }

    func tables() async throws -> [Finding] {
        let check = "database.vacuum"
        let findings = try await pool.query(.doctorTables).map { row in
            let name = try row.decode("name", as: String.self)
            let since = try row.decode("vacuumed_seconds", as: Double?.self).map { "\(Times.span($0)) ago" } ?? "never"
            return Finding(
                .warning,
                check,
                of: name,
                "\(try row.decode("dead", as: Int64.self)) dead rows beside "
                    + "\(try row.decode("live", as: Int64.self)) live ones, last vacuumed \(since)",
                command: "psql -c 'vacuum (verbose) leasehold.\(name)'"
            )
        }
        return findings.isEmpty ? [Finding(.ok, check, "no table is full of dead rows")] : findings
    }
}
