import Foundation
import LeaseholdCore
import Synchronization

/// A process that the demo started. Its output goes to a file.
final class DemoProcess: Sendable {
    let name: String
    let pid: Int32
    private let process: Mutex<Process>

    /// - Throws: ``DemoError`` if the executable cannot be started.
    init(name: String, executable: URL, arguments: [String], environment: [String: String], log: URL) throws {
        guard FileManager.default.createFile(atPath: log.path(), contents: nil),
            let output = FileHandle(forWritingAtPath: log.path())
        else {
            throw DemoError(what: "\(log.path()) to be writable", got: "an error", hint: "df -h \(log.path())")
        }
        let process = Process()
        process.executableURL = executable
        process.arguments = arguments
        process.environment = environment
        process.standardInput = FileHandle.nullDevice
        process.standardOutput = output
        process.standardError = output
        do {
            try process.run()
        } catch {
            throw DemoError(what: "\(name) to start", got: "no runnable \(executable.path())", hint: "swift build")
        }
        self.name = name
        self.pid = process.processIdentifier
        self.process = Mutex(process)
    }

    var isRunning: Bool { process.withLock { $0.isRunning } }

    func signal(_ number: Int32) {
        if isRunning { kill(pid, number) }
    }

    /// Asks it to stop, and kills it if `grace` was not enough; returns once it is gone.
    func stop(grace: Duration) async {
        signal(SIGTERM)
        let clock = ContinuousClock()
        let deadline = clock.now + grace
        while isRunning {
            if clock.now > deadline { signal(SIGKILL) }
            // Uncancellable on purpose: a demo that is interrupted still sees its processes end.
            usleep(20_000)
        }
    }
}
