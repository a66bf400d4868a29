package import Foundation
import LeaseholdCore
import Synchronization
package import TestSupport
package import WorkerControl

/// A vault worker in a process of its own, behind two proxies: one to the database, one to the
/// provider.
package final class WorkerProcess: Sendable {
    package enum Event: Sendable {
        case reached(number: Int, point: String, tenant: String)
        case ready
        case failed(String)
        /// Nothing comes after it.
        case exited
    }

    package let name: String
    package let pid: Int32
    package let database: TCPProxy
    package let provider: TCPProxy
    /// For one reader.
    package let events: AsyncStream<Event>
    private let process: Mutex<Process>
    private let orders: Mutex<FileHandle>

    /// - Parameter log: its standard error is added to this file.
    /// - Throws: if the program is not there.
    package init(name: String, options: WorkerOptions, database: TCPProxy, provider: TCPProxy, log: URL) throws {
        let process = Process()
        process.executableURL = try Self.executable()
        process.environment = ProcessInfo.processInfo.environment.merging(try options.environment) { $1 }
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        process.standardError = try Self.appending(to: log)
        try process.run()
        self.name = name
        self.database = database
        self.provider = provider
        pid = process.processIdentifier
        orders = Mutex(input.fileHandleForWriting)
        self.process = Mutex(process)
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        self.events = events
        Self.read(output.fileHandleForReading.fileDescriptor, keeping: output, into: continuation)
    }

    package func send(_ order: WorkerOrder) {
        let bytes = Array((order.line + "\n").utf8)
        orders.withLock { handle in
            _ = bytes.withUnsafeBytes { write(handle.fileDescriptor, $0.baseAddress, $0.count) }
        }
    }

    package func signal(_ number: Int32) {
        process.withLock { if $0.isRunning { _ = kill(pid, number) } }
    }

    /// Kills it if it still runs, and waits until it is gone.
    package func end() async {
        signal(SIGKILL)
        await withCheckedContinuation { (continuation: CheckedContinuation<Void, Never>) in
            Thread.detachNewThread { [self] in
                process.withLock { $0.waitUntilExit() }
                continuation.resume()
            }
        }
        database.close()
        provider.close()
    }

    private static func read(
        _ descriptor: Int32,
        keeping pipe: Pipe,
        into continuation: AsyncStream<Event>.Continuation
    ) {
        let holder = PipeHolder(pipe)
        Thread.detachNewThread {
            var rest: [UInt8] = []
            var buffer = [UInt8](repeating: 0, count: 4096)
            while true {
                let count = Foundation.read(descriptor, &buffer, buffer.count)
                guard count > 0 else { break }
                rest += buffer[..<count]
                while let end = rest.firstIndex(of: 10) {
                    let line = String(decoding: rest[..<end], as: UTF8.self)
                    rest.removeFirst(end + 1)
                    if let event = Event(line: line) { continuation.yield(event) }
                }
            }
            holder.close()
            continuation.yield(.exited)
            continuation.finish()
        }
    }

    private static func appending(to log: URL) throws -> FileHandle {
        if !FileManager.default.fileExists(atPath: log.path) {
            _ = FileManager.default.createFile(atPath: log.path, contents: nil)
        }
        let handle = try FileHandle(forWritingTo: log)
        try handle.seekToEnd()
        return handle
    }

    /// Beside the program that runs now, where the package manager puts everything it builds.
    private static func executable() throws -> URL {
        var folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let candidates = [Bundle.main.bundleURL, folder, Bundle.main.bundleURL.deletingLastPathComponent()]
        for candidate in candidates {
            folder = candidate
            let program = folder.appendingPathComponent("VaultWorker")
            if FileManager.default.isExecutableFile(atPath: program.path) { return program }
        }
        throw TestSupportError(
            label: "no_vault_worker",
            message: "expected the program VaultWorker beside this one, got none in \(candidates.map(\.path))",
            hint: "swift build --build-tests"
        )
    }
}

extension WorkerProcess.Event {
    fileprivate init?(line: String) {
        switch WorkerReport(line: line) {
        case .reached(let number, let point, let tenant): self = .reached(number: number, point: point, tenant: tenant)
        case .ready: self = .ready
        case .failed(let reason): self = .failed(reason)
        case nil: return nil
        }
    }
}

/// Keeps the reading end open until its thread has read it empty.
///
/// Unchecked: only that thread touches it.
private final class PipeHolder: @unchecked Sendable {
    private let pipe: Pipe

    init(_ pipe: Pipe) { self.pipe = pipe }

    func close() { try? pipe.fileHandleForReading.close() }
}
