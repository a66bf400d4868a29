import LeaseholdCore
package import Logging
package import SQLFiles

/// Brings the schema `leasehold` to the version this program knows, and tells whether it is there.
///
/// Each migration runs in one transaction that first takes an advisory lock and writes the version's
/// row into `leasehold.schema_migration`; two programs that migrate at once take turns. Works behind
/// PgBouncer too. Needs the owner's role; the program itself may run as a lesser one.
package struct SchemaMigrator: Sendable {
    private let pool: PostgresPool
    private let logger: Logger
    private let migrations: [Migration]
    /// How long a migration waits for a lock, the advisory one included. Longer would hold up every
    /// statement that queues behind it. Default 60 s.
    package var lockTimeout: Duration = .seconds(60)

    /// - Parameter files: in the order they are applied; only tests give others.
    package init(pool: PostgresPool, logger: Logger, files: [SQLFile] = SQLFiles.migrations) {
        self.pool = pool
        self.logger = logger
        migrations = files.enumerated().map { Migration(file: $1, version: Int32($0 + 1)) }
    }

    /// The version that this program needs.
    package var targetVersion: Int { migrations.count }

    /// The version of the database; 0 for one without the schema.
    package func currentVersion() async throws -> Int {
        let applied = try await pool.withConnection { try await Self.applied(on: $0) }
        return applied.last.map { Int($0.version) } ?? 0
    }

    /// Applies every migration that is missing.
    ///
    /// - Returns: the names of those applied, in order; empty if there was nothing to do.
    /// - Throws: ``SchemaError``, ``PostgresError``.
    @discardableResult
    package func migrate() async throws -> [String] {
        var names: [String] = []
        while let name = try await migrateOnce() {
            logger.info("migrated the schema", metadata: ["migration": "\(name)"])
            names.append(name)
        }
        return names
    }

    /// Throws unless the database has exactly the schema this program was built for.
    package func check() async throws {
        let applied = try await pool.withConnection { try await Self.applied(on: $0) }
        try verify(applied)
        guard applied.count == migrations.count else {
            throw SchemaError.tooOld(database: applied.count, program: migrations.count)
        }
    }

    private func migrateOnce() async throws -> String? {
        try await pool.withTransaction { connection in
            try await connection.run(script: Self.preparation(lockTimeout: lockTimeout))
            let applied = try await Self.applied(on: connection)
            try verify(applied)
            guard applied.count < migrations.count else { return nil }
            let migration = migrations[applied.count]
            try await connection.query(
                sql: """
                    insert into leasehold.schema_migration (version, name, checksum)
                    values ($1, $2, $3)
                    """,
                migration.version,
                migration.file.name,
                migration.checksum
            )
            try await connection.run(migration: migration.file)
            return migration.file.name
        }
    }

    private func verify(_ applied: [AppliedMigration]) throws(SchemaError) {
        if let newest = applied.last, newest.version > migrations.count {
            throw .tooNew(database: Int(newest.version), newestName: newest.name, program: migrations.count)
        }
        for (row, known) in zip(applied, migrations) {
            guard row.version == known.version else { throw .gap(version: Int(known.version), found: Int(row.version)) }
            guard row.name == known.file.name, row.checksum == known.checksum else {
                throw .edited(known.file.name, databaseName: row.name)
            }
        }
    }

    private static func applied(on connection: PostgresConnection) async throws -> [AppliedMigration] {
        let exists = try await connection.query(
            sql: "select to_regclass('leasehold.schema_migration') is not null"
        )
        guard try exists.only.decode(0, as: Bool.self) else { return [] }
        let rows = try await connection.query(
            sql: "select version, name, checksum from leasehold.schema_migration order by version"
        )
        return try rows.decode((Int32, String, String).self).map {
            AppliedMigration(version: $0, name: $1, checksum: $2)
        }
    }

    /// The advisory lock's key is the word "leasehol" read as a number: nobody else's by chance.
    private static func preparation(lockTimeout: Duration) -> String {
        """
        set local statement_timeout = 0;
        set local lock_timeout = \(Int(lockTimeout.seconds * 1000));
        select pg_advisory_xact_lock(7811887398552924012);
        create schema if not exists leasehold;
        create table if not exists leasehold.schema_migration (
            version integer primary key,
            name text not null,
            checksum text not null,
            applied_at timestamptz not null default clock_timestamp()
        );
        """
    }
}

private struct AppliedMigration {
    var version: Int32
    var name: String
    var checksum: String
}

private struct Migration {
    let file: SQLFile
    let version: Int32
    let checksum: String

    init(file: SQLFile, version: Int32) {
        self.file = file
        self.version = version
        checksum = fnv1a64(file.text)
    }
}

/// FNV-1a, 64 bits, in hexadecimal: tells an edited text from the applied one; no defence against
/// somebody who wants to deceive.
package func fnv1a64(_ text: String) -> String {
    let hash = text.utf8.reduce(0xCBF2_9CE4_8422_2325 as UInt64) { ($0 ^ UInt64($1)) &* 0x0000_0100_0000_01B3 }
    let digits = String(hash, radix: 16)
    return String(repeating: "0", count: 16 - digits.count) + digits
}

extension PostgresConnection {
    /// Runs a migration's statements under its name.
    fileprivate func run(migration: SQLFile) async throws {
        try await run(simple: migration.text, name: migration.name, onCancel: .askServer)
    }
}
