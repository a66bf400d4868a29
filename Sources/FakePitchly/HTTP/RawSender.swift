import NIOCore

#if canImport(Glibc)
import Glibc
#elseif canImport(Darwin)
import Darwin
#endif

/// Writes bytes past the HTTP encoder, straight to the socket, and takes itself out again: the only
/// way to send an answer that breaks off where it should not.
private final class RawSender: ChannelOutboundHandler, RemovableChannelHandler {
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let bytes: ByteBuffer
    private let sent: EventLoopPromise<Void>

    init(_ bytes: ByteBuffer, sent: EventLoopPromise<Void>) {
        self.bytes = bytes
        self.sent = sent
    }

    func handlerAdded(context: ChannelHandlerContext) {
        context.writeAndFlush(wrapOutboundOut(bytes), promise: sent)
        context.pipeline.syncOperations.removeHandler(context: context, promise: nil)
    }
}

extension Channel {
    /// Returns when the socket has taken all of it.
    func sendRaw(_ bytes: [UInt8]) async throws {
        let buffer = ByteBuffer(bytes: bytes)
        try await eventLoop.flatSubmit {
            let sent = self.eventLoop.makePromise(of: Void.self)
            do {
                let sender = RawSender(buffer, sent: sent)
                try self.pipeline.syncOperations.addHandler(sender, position: .first)
            } catch {
                sent.fail(error)
            }
            return sent.futureResult
        }.get()
    }

    /// Ends the connection with a TCP reset: a close that lingers for no time at all.
    func reset() async throws {
        let provider = self as? any SocketOptionProvider
        try await provider?.setSoLinger(linger(l_onoff: 1, l_linger: 0)).get()
        try await close()
    }
}
