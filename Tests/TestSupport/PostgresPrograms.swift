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

    /// Lets the user that the programs run as write into `path`.
    func giveAway(_ path: String) throws {
        guard !prefix.isEmpty else { return }
        guard let user = getpwnam("postgres"), chown(path, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
            throw SocketFailure(call: "chown", code: errno)
        }
    }

    func run(_ program: String, _ arguments: String...) async throws {
        try await Command.run(prefix + ["\(folder)/\(program)"] + arguments)
    }

    /// For a shell, quoted.
    func commandLine(_ program: String, _ arguments: String...) -> String {
        (prefix + ["\(folder)/\(program)"] + arguments).map { "'\($0)'" }.joined(separator: " ")
    }
}
