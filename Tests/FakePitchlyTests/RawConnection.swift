import NIOCore
import NIOPosix
import Synchronization

/// One TCP connection that shows exactly what comes and how it ends.
final class RawConnection: Sendable {
    enum End: Equatable {
        case closed
        /// By a TCP reset.
        case reset
    }

    private let channel: any Channel
    private let collector: Collector

    private init(channel: any Channel, collector: Collector) {
        self.channel = channel
        self.collector = collector
    }

    static func open(port: Int) async throws -> RawConnection {
        let collector = Collector()
        let channel = try await ClientBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .channelInitializer { channel in
                channel.pipeline.addHandler(CollectingHandler(collector))
            }
            .connect(host: "127.0.0.1", port: port).get()
        return RawConnection(channel: channel, collector: collector)
    }

    func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }

    func close() async throws { try await channel.close() }

    /// Everything until the other side ends the connection.
    func readToEnd() async throws -> (text: String, end: End) {
        try await channel.closeFuture.get()
        return collector.state.withLock { ($0.text, $0.end) }
    }

    final class Collector: Sendable {
        let state = Mutex((text: "", end: End.closed))
    }
}

/// A POST as it goes over the wire, on a connection of its own.
func rawPost(_ path: String, _ mediaType: String, _ body: String, headers: String = "") -> String {
    "POST \(path) HTTP/1.1\r\nhost: localhost\r\ncontent-type: \(mediaType)\r\n\(headers)"
        + "content-length: \(body.utf8.count)\r\n\r\n\(body)"
}

private final class CollectingHandler: ChannelInboundHandler, Sendable {
    typealias InboundIn = ByteBuffer

    private let collector: RawConnection.Collector

    init(_ collector: RawConnection.Collector) { self.collector = collector }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        let text = String(buffer: unwrapInboundIn(data))
        collector.state.withLock { $0.text += text }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        if let error = error as? IOError, error.errnoCode == ECONNRESET { collector.state.withLock { $0.end = .reset } }
        context.close(promise: nil)
    }
}
