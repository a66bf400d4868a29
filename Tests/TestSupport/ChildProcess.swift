package import Foundation
import Synchronization

/// A program started by a test.
///
/// Not `Foundation.Process`, which on Linux takes a child for running as long as any of the child's
/// own children lives: `pg_ctl start` would never end.
package final class ChildProcess: Sendable {
    package let pid: pid_t
    private let state: Mutex<State>

    private struct State {
        var exit: Exit?
        var waiting: [CheckedContinuation<Exit, Never>] = []
    }

    package enum Exit: Sendable, Equatable {
        case status(Int32)
        case signal(Int32)
    }

    /// Starts `arguments[0]`, looked up in `PATH`, with no open files but the three given.
    ///
    /// - Parameters:
    ///   - environment: added to this process's own, if it inherits that.
    ///   - input: a descriptor to read from; nil is `/dev/null`.
    ///   - outputPath: where output goes; nil is `/dev/null`.
    ///   - errorPath: where errors go; nil is where output goes.
    package init(
        _ arguments: [String],
        environment: [String: String] = [:],
        inheritsEnvironment: Bool = true,
        input: Int32? = nil,
        outputPath: String? = nil,
        errorPath: String? = nil
    ) throws {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        if let input {
            posix_spawn_file_actions_adddup2(&actions, input, 0)
        } else {
            posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        }
        posix_spawn_file_actions_addopen(&actions, 1, outputPath ?? "/dev/null", O_WRONLY | O_CREAT | O_APPEND, 0o600)
        if let errorPath {
            posix_spawn_file_actions_addopen(&actions, 2, errorPath, O_WRONLY | O_CREAT | O_APPEND, 0o600)
        } else {
            posix_spawn_file_actions_adddup2(&actions, 1, 2)
        }
        // Closing one that is not open any more is no error to glibc.
        for descriptor in Self.openDescriptors() where descriptor > 2 {
            posix_spawn_file_actions_addclose(&actions, descriptor)
        }
        let inherited = inheritsEnvironment ? ProcessInfo.processInfo.environment : [:]
        let all = inherited.merging(environment) { $1 }.map { "\($0)=\($1)" }
        var pid: pid_t = 0
        let failure = Self.withCStrings(arguments) { argv in
            Self.withCStrings(all) { posix_spawnp(&pid, argv[0]!, &actions, nil, argv, $0) }
        }
        guard failure == 0 else { throw SocketFailure(call: "posix_spawn \(arguments[0])", code: failure) }
        self.pid = pid
        state = Mutex(State())
        Thread.detachNewThread { [self] in reap() }
    }

    /// Waits for its end.
    @discardableResult
    package func exit() async -> Exit {
        await withCheckedContinuation { continuation in
            let exit = state.withLock { state in
                if state.exit == nil { state.waiting.append(continuation) }
                return state.exit
            }
            if let exit { continuation.resume(returning: exit) }
        }
    }

    package var isRunning: Bool { state.withLock { $0.exit == nil } }

    /// Does nothing if it has ended: its number may belong to somebody else by now.
    package func send(signal: Int32) {
        state.withLock { if $0.exit == nil { kill(pid, signal) } }
    }

    private func reap() {
        // The child stays a zombie, and its number its own, until the state says that it has ended.
        var info = siginfo_t()
        while waitid(P_PID, id_t(pid), &info, WEXITED | WNOWAIT) != 0, errno == EINTR {}
        let waiting = state.withLock { state in
            var status: Int32 = 0
            waitpid(pid, &status, 0)
            let signal = status & 0x7F
            let exit: Exit = signal == 0 ? .status((status >> 8) & 0xFF) : .signal(signal)
            state.exit = exit
            defer { state.waiting = [] }
            return state.waiting.map { ($0, exit) }
        }
        for (continuation, exit) in waiting { continuation.resume(returning: exit) }
    }

    private static func openDescriptors() -> [Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc/self/fd")) ?? []
        return names.compactMap { Int32($0) }
    }

    private static func withCStrings<R>(
        _ strings: [String],
        _ body: ([UnsafeMutablePointer<CChar>?]) -> R
    ) -> R {
        let copies = strings.map { strdup($0) }
        defer { for copy in copies { free(copy) } }
        return body(copies + [nil])
    }
}

/// A program run to its end.
package enum Command {
    /// - Returns: what it wrote to standard output and standard error.
    /// - Throws: ``TestSupportError`` with the end of its output if it failed.
    @discardableResult
    package static func run(_ arguments: [String], environment: [String: String] = [:]) async throws -> String {
        // A file, not a pipe: a server started by pg_ctl would keep a pipe open.
        let path = "/tmp/lh-\(UUID().uuidString)"
        defer { unlink(path) }
        let exit = try await ChildProcess(arguments, environment: environment, outputPath: path).exit()
        let text = String(decoding: FileManager.default.contents(atPath: path) ?? Data(), as: UTF8.self)
        guard exit == .status(0) else {
            throw TestSupportError(
                label: "command_failed",
                message: "expected \(arguments.joined(separator: " ")) to succeed, got \(exit): \(text.suffix(2000))"
            )
        }
        return text
    }
}

/// A shell that waits for this process to let go, or to die, and then runs a script.
final class Watchdog: Sendable {
    private let shell: ChildProcess
    private let leash: Int32

    init(_ script: String) throws {
        var ends: [Int32] = [0, 0]
        guard pipe(&ends) == 0 else { throw SocketFailure(call: "pipe", code: errno) }
        // Another child that inherited the leash would keep the shell waiting after our death.
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        defer { close(ends[0]) }
        leash = ends[1]
        // A Ctrl-C at the terminal reaches the shell too, and must not end it.
        shell = try ChildProcess(["/bin/sh", "-c", "trap '' INT TERM HUP; read -r line; \(script)"], input: ends[0])
    }

    /// Lets the script run and waits for its end.
    func release() async {
        close(leash)
        await shell.exit()
    }
}
