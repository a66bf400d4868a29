import Foundation
import LeaseholdCore
import Synchronization
import TestSupport

/// A real `leasehold worker` in a process of its own, behind two proxies: one to the database, one to
/// the provider. At every step of an exchange it waits on its wire for leave to go on.
package final class WorkerProcess: Sendable {
    enum Event: Sendable {
        case reached(number: Int, point: String, tenant: String)
        /// Nothing comes after it.
        case exited
    }

    package let name: String
    let database: TCPProxy
    let provider: TCPProxy
    /// For one reader.
    let events: AsyncStream<Event>
    private let process: ChildProcess
    /// Nil once the worker's end is closed.
    private let wire: Mutex<Int32?>

    /// - Parameter log: what it writes is added to this file.
    init(name: String, environment: [String: String], database: TCPProxy, provider: TCPProxy, log: String) throws {
        self.name = name
        self.database = database
        self.provider = provider
        var ends: [Int32] = [0, 0]
        // Another child that inherited the wire would keep it open after our death.
        let type = Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue)
        guard socketpair(AF_UNIX, type, 0, &ends) == 0 else {
            throw TestSupportError(label: "no_wire", message: "expected a pair of sockets, got error \(errno)")
        }
        defer { close(ends[1]) }
        do {
            process = try ChildProcess(
                [try Self.executable(), "worker", "--name", name],
                environment: environment,
                input: ends[1],
                outputPath: log
            )
        } catch {
            close(ends[0])
            throw error
        }
        wire = Mutex(ends[0])
        let (events, continuation) = AsyncStream.makeStream(of: Event.self)
        self.events = events
        let descriptor = ends[0]
        Thread.detachNewThread { [self] in read(descriptor, into: continuation) }
    }

    /// Lets an exchange go on.
    func go(_ number: Int) {
        let line = Array("go \(number)\n".utf8)
        wire.withLock { descriptor in
            guard let descriptor else { return }
            _ = line.withUnsafeBytes { send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
        }
    }

    package func signal(_ number: Int32) { process.send(signal: number) }

    /// Beyond so many bytes no file of the process can be written to: a full disk, to whoever writes.
    ///
    /// - Parameter bytes: nil lifts the limit.
    package func limitFiles(to bytes: Int?) async throws {
        let limit = bytes.map(String.init) ?? "unlimited"
        try await Command.run(["prlimit", "--pid", "\(process.pid)", "--fsize=\(limit):unlimited"])
    }

    /// Kills it if it still runs, and waits until it is gone.
    func end() async {
        signal(SIGKILL)
        await process.exit()
        database.close()
        provider.close()
    }

    private func read(_ descriptor: Int32, into continuation: AsyncStream<Event>.Continuation) {
        var rest: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = Foundation.read(descriptor, &buffer, buffer.count)
            guard count > 0 else { break }
            rest += buffer[..<count]
            while let end = rest.firstIndex(of: 10) {
                let words = String(decoding: rest[..<end], as: UTF8.self).split(separator: " ").map(String.init)
                rest.removeFirst(end + 1)
                guard words.count == 4, words[0] == "at", let number = Int(words[1]) else { continue }
                continuation.yield(.reached(number: number, point: words[2], tenant: words[3]))
            }
        }
        wire.withLock { $0 = nil }
        close(descriptor)
        continuation.yield(.exited)
        continuation.finish()
    }

    /// Beside the program that runs now, where the package manager puts everything it builds.
    private static func executable() throws -> String {
        let folder = URL(fileURLWithPath: CommandLine.arguments[0]).deletingLastPathComponent()
        let path = folder.appendingPathComponent("leasehold").path
        guard FileManager.default.isExecutableFile(atPath: path) else {
            throw TestSupportError(
                label: "no_leasehold",
                message: "expected the program leasehold beside this one, got nothing at \(path)",
                hint: "swift build"
            )
        }
        return path
    }
}
