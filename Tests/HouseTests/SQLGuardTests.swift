import Foundation
import LeaseholdCore
import Postgres
import SQLFiles
import TestSupport
import Testing

/// The three guards of the SQL: every file is listed and well named, every statement prepares with
/// its declared types, and `sql/schema.sql` is what the migrations build.
@Suite struct SQLGuardTests {
    @Test func everyFileIsListedAndEveryListedFileIsThere() throws {
        let queries = Repository.files(below: "sql/queries", endingWith: ".sql").map(fileName)
        let migrations = Repository.files(below: "sql/migrations", endingWith: ".sql").map(fileName)
        #expect(SQLFiles.queries.map(\.name).sorted() == queries)
        #expect(SQLFiles.migrations.map(\.name) == migrations)
    }

    @Test func everyListedFileCarriesTheTextOfItsName() throws {
        for file in SQLFiles.queries {
            #expect(try Repository.text(of: "sql/queries/\(file.name).sql") == file.text, "\(file.name)")
        }
        for file in SQLFiles.migrations {
            #expect(try Repository.text(of: "sql/migrations/\(file.name).sql") == file.text, "\(file.name)")
        }
    }

    @Test func namesAreNounUnderscoreVerbAndMigrationsCountUp() throws {
        for file in SQLFiles.queries { #expect(file.name.wholeMatch(of: /[a-z]+(_[a-z0-9]+)+/) != nil, "\(file.name)") }
        for (index, file) in SQLFiles.migrations.enumerated() {
            let number = String(format: "v%04d_", index + 1)
            #expect(file.name.hasPrefix(number), "\(file.name) should start with \(number)")
        }
    }

    @Test func everyStatementPreparesWithItsDeclaredTypes() async throws {
        try await withDatabase { database in
            try await database.pool(size: 1).withConnection { connection in
                for file in SQLFiles.queries {
                    let header = try StatementHeader(file: file.name, text: file.text)
                    #expect(header.name == file.name)
                    let types =
                        header.parameterTypes.isEmpty ? "" : "(\(header.parameterTypes.joined(separator: ", ")))"
                    do {
                        try await connection.run(script: "prepare guard \(types) as \(file.text)")
                        let declared = try await connection.query(
                            sql: "select parameter_types::text[] from pg_prepared_statements where name = 'guard'"
                        )
                        #expect(
                            try declared[0].decode("parameter_types", as: [String].self).count
                                == header.parameterTypes.count
                        )
                        try await connection.run(script: "deallocate guard")
                    } catch {
                        Issue.record("\(file.name) does not prepare: \(String(reflecting: error))")
                    }
                }
            }
        }
    }

    @Test func aStatementThatDoesNotFitTheSchemaIsRefused() async throws {
        try await withDatabase { database in
            try await database.pool(size: 1).withConnection { connection in
                _ = await #expect(throws: PostgresError.self) {
                    try await connection.run(script: "prepare guard as select no_such_column from leasehold.tenant")
                }
            }
        }
    }

    @Test(arguments: [
        "select 1", "-- x: y\nselect 1", "-- x: y\n-- params: $2 text a\nselect 1", "-- x: y\n-- params: $1 text\n",
    ])
    func aMalformedHeaderIsRefused(text: String) {
        #expect(throws: StatementHeader.Malformed.self) { try StatementHeader(file: "x", text: text) }
    }

    @Test func schemaSQLIsWhatTheMigrationsBuild() async throws {
        let built = try await withDatabase { database in try dumpSchema(of: database.url) }
        if ProcessInfo.processInfo.environment["LEASEHOLD_UPDATE_SCHEMA"] == "1" {
            try Data(built.utf8).write(to: Repository.root.appending(path: "sql/schema.sql"))
        }
        let kept = try Repository.text(of: "sql/schema.sql")
        let difference = zip(kept.split(separator: "\n"), built.split(separator: "\n")).first { $0 != $1 }
        #expect(
            kept == built,
            "sql/schema.sql differs first at \(String(describing: difference)). Try: LEASEHOLD_UPDATE_SCHEMA=1 scripts/test SQLGuardTests"
        )
    }

    /// Without what differs between versions of pg_dump, and without the partitions, which are made by day.
    private func dumpSchema(of url: String) throws -> String {
        let process = Process()
        process.executableURL = URL(filePath: "/usr/bin/env")
        process.arguments = [
            "pg_dump", "--schema-only", "--schema=leasehold*", "--no-owner", "--exclude-table=leasehold.*_y20*",
            "--dbname", url,
        ]
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "pg_dump failed")
        var lines: [String] = ["-- Made from the migrations: LEASEHOLD_UPDATE_SCHEMA=1 scripts/test SQLGuardTests"]
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).map(String.init) {
            let isNoise =
                line.hasPrefix("--") || line.hasPrefix("SET ") || line.hasPrefix("\\")
                || line.hasPrefix("SELECT pg_catalog.set_config")
            if isNoise || (line.isEmpty && lines.last?.isEmpty == true) { continue }
            lines.append(line)
        }
        return lines.joined(separator: "\n").trimmingCharacters(in: .newlines) + "\n"
    }

    private func fileName(_ path: String) -> String {
        String(path.split(separator: "/").last!.dropLast(".sql".count))
    }
}
