import Foundation
import NIOCore
import NIOPosix
import Synchronization

/// A TCP server that does exactly what its script says, byte by byte, to provoke every way in which
/// an HTTP answer can go wrong.
struct RawServer: Sendable {
    enum Step: Sendable {
        /// Waits for the end of the request head.
        case readHead
        /// Waits for head and body, by Content-Length.
        case readRequest
        case send(String)
        /// Sends what the request calls for.
        case answer(@Sendable (String) -> String)
        /// Forgets what was received, so that the next request is waited for.
        case forget
        /// Sends a FIN, as a process that exits does.
        case close
        /// Sends an RST.
        case reset
        /// Tells the test and waits until the client closes.
        case hold
    }

    let port: Int
    private let log: Log

    var url: String { "http://127.0.0.1:\(port)" }

    /// What each connection sent, in the order of the connections.
    var received: [String] { log.state.withLock { $0.received } }

    /// Returns when some connection holds.
    func waitForHold() async { for await _ in log.holds { return } }

    /// Runs `body` with a server whose every connection follows `script`.
    static func withServer<Result: Sendable>(
        _ script: [Step],
        _ body: @escaping @Sendable (RawServer) async throws -> Result
    ) async throws -> Result {
        let listener = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup)
            .bind(host: "127.0.0.1", port: 0) { channel in
                channel.eventLoop.makeCompletedFuture {
                    try NIOAsyncChannel<ByteBuffer, ByteBuffer>(wrappingChannelSynchronously: channel)
                }
            }
        let log = Log()
        let server = RawServer(port: listener.channel.localAddress?.port ?? 0, log: log)
        return try await listener.executeThenClose { connections in
            try await withThrowingTaskGroup(of: Result?.self) { group in
                group.addTask { try await body(server) }
                group.addTask {
                    await withDiscardingTaskGroup { handlers in
                        do {
                            for try await connection in connections {
                                handlers.addTask { await log.serve(connection, script) }
                            }
                        } catch {
                            // The listener was closed because the test is over.
                        }
                    }
                    return nil
                }
                defer { group.cancelAll() }
                while let result = try await group.next() {
                    if let result { return result }
                }
                throw CancellationError()
            }
        }
    }

    private final class Log: Sendable {
        struct State { var received: [String] = [] }
        let state = Mutex(State())
        let holds: AsyncStream<Void>
        private let holding: AsyncStream<Void>.Continuation

        init() { (holds, holding) = AsyncStream.makeStream() }

        func serve(_ connection: NIOAsyncChannel<ByteBuffer, ByteBuffer>, _ script: [Step]) async {
            let index = state.withLock { state in
                state.received.append("")
                return state.received.count - 1
            }
            // A connection that the client closes ends its script; that is part of the tests.
            try? await connection.executeThenClose { inbound, outbound in
                var input = inbound.makeAsyncIterator()
                for step in script {
                    switch step {
                    case .readHead: try await self.read(&input, index) { $0.contains("\r\n\r\n") }
                    case .readRequest: try await self.read(&input, index, until: Self.isWhole)
                    case .send(let text): try await outbound.write(ByteBuffer(string: text))
                    case .answer(let answer):
                        let request = self.state.withLock { $0.received[index] }
                        try await outbound.write(ByteBuffer(string: answer(request)))
                    case .forget: self.state.withLock { $0.received[index] = "" }
                    case .close: return
                    case .reset:
                        let options = connection.channel as? any SocketOptionProvider
                        try await options?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
                        return
                    case .hold:
                        self.holding.yield()
                        try await self.read(&input, index) { _ in false }
                    }
                }
            }
        }

        private func read(
            _ input: inout NIOAsyncChannelInboundStream<ByteBuffer>.AsyncIterator,
            _ index: Int,
            until done: (String) -> Bool
        ) async throws {
            while !done(state.withLock { $0.received[index] }) {
                guard let part = try await input.next(isolation: #isolation) else { throw CancellationError() }
                state.withLock { $0.received[index] += String(buffer: part) }
            }
        }

        private static func isWhole(_ text: String) -> Bool {
            let halves = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false)
            guard halves.count == 2 else { return false }
            let length =
                halves[0].lowercased().split(separator: "\r\n")
                .first { $0.hasPrefix("content-length:") }
                .flatMap { Int($0.dropFirst("content-length:".count).drop { $0 == " " }) }
            return halves[1].utf8.count >= length ?? 0
        }
    }
}
