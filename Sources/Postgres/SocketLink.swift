import CLibPQ
import Dispatch

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Owns the `PGconn` and the Dispatch sources on its socket.
///
/// Unchecked because every member is used on `queue` only, which is the executor of the one actor
/// that holds it. Dispatch wants a socket to stay open until the sources on it have been cancelled
/// and said so; that is why closing is spread over ``close()`` and ``sourceEnded()``.
final class SocketLink: @unchecked Sendable {
    private let queue: DispatchQueue
    private(set) var connection: OpaquePointer?
    private var reading: (any DispatchSourceRead)?
    private var isReadingPaused = false
    private var waiting: (any DispatchSourceProtocol)?
    private var openSources = 0
    private var isClosing = false
    private var closeHandlers: [@Sendable () -> Void] = []

    init(queue: DispatchQueue) { self.queue = queue }

    /// Begins to connect; resolves names and therefore may block.
    func start(_ parameters: ConnectionParameters) {
        connection = parameters.withCArrays { keywords, values in
            PQconnectStartParams(keywords, values, 1)
        }
        // libpq would print notices to standard error; they may hold values.
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    var socket: Int32 { PQsocket(connection) }

    /// Calls `handler` once, on the queue, when the socket is readable or writable or after
    /// ``cancelWait()``. A second wait while one is on is ignored.
    func waitOnce(for direction: Direction, then handler: @escaping @Sendable () -> Void) {
        guard waiting == nil, !isClosing else { return }
        let source: any DispatchSourceProtocol =
            switch direction {
            case .read: DispatchSource.makeReadSource(fileDescriptor: socket, queue: queue)
            case .write: DispatchSource.makeWriteSource(fileDescriptor: socket, queue: queue)
            }
        source.setEventHandler { self.waiting?.cancel() }
        source.setCancelHandler {
            self.waiting = nil
            self.sourceEnded()
            handler()
        }
        waiting = source
        openSources += 1
        source.resume()
    }

    enum Direction {
        case read
        case write
    }

    func cancelWait() { waiting?.cancel() }

    /// Calls `handler` on the queue whenever there is something to read, until ``stopReading()``.
    func startReading(_ handler: @escaping @Sendable () -> Void) {
        let source = DispatchSource.makeReadSource(fileDescriptor: socket, queue: queue)
        source.setEventHandler(handler: handler)
        source.setCancelHandler { self.sourceEnded() }
        reading = source
        openSources += 1
        source.resume()
    }

    /// Leaves what the server sends in the socket, so that the server has to wait.
    func pauseReading() {
        guard let reading, !isReadingPaused else { return }
        isReadingPaused = true
        reading.suspend()
    }

    /// - Returns: whether it was paused.
    @discardableResult
    func resumeReading() -> Bool {
        guard let reading, isReadingPaused else { return false }
        isReadingPaused = false
        reading.resume()
        return true
    }

    /// Whether the other side has closed the socket. Dispatch on Linux reports that once and then
    /// never again, even if there is still something to read.
    var hasHungUp: Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) > 0 && descriptor.revents & Int16(POLLHUP | POLLERR) != 0
    }

    func stopReading() {
        resumeReading()  // a suspended source would never report that it ended
        reading?.cancel()
        reading = nil
    }

    /// Ends the connection below libpq, which then sees it as closed by the server.
    func cutOff() {
        let descriptor = socket
        if descriptor >= 0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Says good-bye to the server and frees everything; `handler` is called afterwards.
    func close(then handler: (@Sendable () -> Void)? = nil) {
        if let handler { closeHandlers.append(handler) }
        isClosing = true
        stopReading()
        waiting?.cancel()
        finishIfPossible()
    }

    private func sourceEnded() {
        openSources -= 1
        finishIfPossible()
    }

    private func finishIfPossible() {
        guard isClosing, openSources == 0 else { return }
        PQfinish(connection)
        connection = nil
        for handler in closeHandlers { handler() }
        closeHandlers = []
    }
}
