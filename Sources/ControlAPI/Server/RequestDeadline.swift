import NIOCore
import NIOHTTPTypes

/// Closes a connection whose client is too slow: one that takes longer than `requestTime` from the
/// first to the last byte of a request, or `idleTime` to begin one. Sending a byte now and then does
/// not help, because the deadlines are of the whole request.
///
/// waiting -> reading (a head came) -> answering (the request is complete) -> waiting
///
/// An answer may be complete before its request is, such as a refusal; the request's deadline then stays.
final class RequestDeadline: ChannelDuplexHandler, RemovableChannelHandler {
    typealias InboundIn = HTTPRequestPart
    typealias InboundOut = HTTPRequestPart
    typealias OutboundIn = HTTPResponsePart
    typealias OutboundOut = HTTPResponsePart

    private let requestTime: TimeAmount
    private let idleTime: TimeAmount
    private var timer: Scheduled<Void>?
    private var isReading = false
    private var isAnswered = false

    init(requestTime: Duration, idleTime: Duration) {
        self.requestTime = TimeAmount(requestTime)
        self.idleTime = TimeAmount(idleTime)
    }

    func handlerAdded(context: ChannelHandlerContext) {
        // A head of which only some bytes came is not seen here yet, so a new connection gets the
        // shorter of both times.
        start(min(requestTime, idleTime), context)
    }

    func handlerRemoved(context: ChannelHandlerContext) { stop() }

    func channelInactive(context: ChannelHandlerContext) {
        stop()
        context.fireChannelInactive()
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head:
            (isReading, isAnswered) = (true, false)
            start(requestTime, context)
        case .body: break
        case .end:
            isReading = false
            if isAnswered { start(idleTime, context) } else { stop() }
        }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        if case .end = unwrapOutboundIn(data) {
            isAnswered = true
            if !isReading { start(idleTime, context) }
        }
        context.write(data, promise: promise)
    }

    private func start(_ time: TimeAmount, _ context: ChannelHandlerContext) {
        stop()
        timer = context.eventLoop.assumeIsolated().scheduleTask(in: time) { context.close(promise: nil) }
    }

    private func stop() {
        timer?.cancel()
        timer = nil
    }
}
