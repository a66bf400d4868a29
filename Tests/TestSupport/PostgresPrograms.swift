import Foundation

/// PostgreSQL's own programs, run as a user they accept.
struct PostgresPrograms: Sendable {
    private let folder: String
    /// `runuser -u postgres --` for root, else nothing.
    private let prefix: [String]

    /// Looks in `LEASEHOLD_TEST_POSTGRES_BIN`, then in the folder that `pg_config` names, then in
    /// the newest one of Debian's.
    static func find() throws -> PostgresPrograms {
        var candidates: [String] = []
        if let named = ProcessInfo.processInfo.environment["LEASEHOLD_TEST_POSTGRES_BIN"] { candidates.append(named) }
        let versions = (try? FileManager.default.contentsOfDirectory(atPath: "/usr/lib/postgresql")) ?? []
        let newestFirst = versions.compactMap(Int.init).sorted(by: >)
        candidates += newestFirst.map { "/usr/lib/postgresql/\($0)/bin" }
        candidates += (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        guard let folder = candidates.first(where: { FileManager.default.isExecutableFile(atPath: "\($0)/initdb") })
        else {
            throw TestSupportError(
                label: "no_postgres",
                message: "expected PostgreSQL's initdb and pg_ctl to be installed, got none",
                hint: "scripts/setup, or set LEASEHOLD_TEST_POSTGRES_BIN to their folder"
            )
        }
        return PostgresPrograms(folder: folder, prefix: getuid() == 0 ? ["runuser", "-u", "postgres", "--"] : [])
    }

    /// An empty folder that the user the programs run as may write into. Short, because a socket's
    /// path has 107 bytes at most.
    func makeFolder() throws -> String {
        let path = "/tmp/lh-pg-\(String(UInt32.random(in: .min ... .max), radix: 36))"
        guard mkdir(path, 0o700) == 0 else { throw SocketFailure(call: "mkdir", code: errno) }
        guard !prefix.isEmpty else { return path }
        guard let user = getpwnam("postgres"), chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
            throw SocketFailure(call: "chown", code: errno)
        }
        return path
    }

    func run(_ program: String, _ arguments: String...) async throws {
        try await Command.run(prefix + ["\(folder)/\(program)"] + arguments)
    }

    func run(path: String, _ arguments: String...) async throws {
        try await Command.run(prefix + [path] + arguments)
    }

    /// For a shell, quoted.
    func commandLine(_ program: String, _ arguments: String...) -> String {
        (prefix + ["\(folder)/\(program)"] + arguments).map { "'\($0)'" }.joined(separator: " ")
    }
}
