import CLibPQ

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// Owns the `PGconn`, and says what of its socket the connection's thread waits for.
///
/// Unchecked because every member is used on `thread` only, on which the one actor runs that holds it.
final class SocketLink: SocketWatcher, @unchecked Sendable {
    private let thread: ConnectionThread
    private(set) var connection: OpaquePointer?
    private var reading: (@Sendable () -> Void)?
    private var isReadingPaused = false
    private var waiting: (direction: Direction, handler: @Sendable () -> Void)?

    init(thread: ConnectionThread) {
        self.thread = thread
        // Until ``close(then:)``.
        thread.watcher = self
    }

    /// Begins to connect; resolves names and therefore may block.
    func start(_ parameters: ConnectionParameters) {
        connection = parameters.withCArrays { keywords, values in
            PQconnectStartParams(keywords, values, 1)
        }
        // libpq would print notices to standard error; they may hold values.
        PQsetNoticeReceiver(connection, { _, _ in }, nil)
    }

    var socket: Int32 { PQsocket(connection) }

    // MARK: Waiting

    /// Calls `handler` once, on the thread, when the socket is readable or writable or after
    /// ``cancelWait()``. A second wait while one is on is ignored.
    func waitOnce(for direction: Direction, then handler: @escaping @Sendable () -> Void) {
        guard waiting == nil, connection != nil else { return }
        waiting = (direction, handler)
    }

    enum Direction {
        case read
        case write
    }

    func cancelWait() {
        guard let waiting else { return }
        self.waiting = nil
        thread.run(waiting.handler)
    }

    /// Calls `handler` on the thread whenever there is something to read, until ``stopReading()``.
    func startReading(_ handler: @escaping @Sendable () -> Void) { reading = handler }

    /// Leaves what the server sends in the socket, so that the server has to wait.
    func pauseReading() { isReadingPaused = reading != nil }

    /// - Returns: whether it was paused.
    @discardableResult
    func resumeReading() -> Bool {
        defer { isReadingPaused = false }
        return isReadingPaused
    }

    func stopReading() {
        reading = nil
        isReadingPaused = false
    }

    private var isReading: Bool { reading != nil && !isReadingPaused }

    var watched: pollfd {
        var events: Int32 = 0
        if isReading || waiting?.direction == .read { events |= Int32(POLLIN) }
        if waiting?.direction == .write { events |= Int32(POLLOUT) }
        // The end of the stream is reported to everybody who waits, so that who waits for nothing must not.
        return pollfd(fd: events == 0 ? -1 : socket, events: Int16(events), revents: 0)
    }

    func happened(_ events: Int16) {
        let isEnd = events & Int16(POLLHUP | POLLERR | POLLNVAL) != 0
        let isReadable = isEnd || events & Int16(POLLIN) != 0
        let isWritable = isEnd || events & Int16(POLLOUT) != 0
        if let waiting, waiting.direction == .read ? isReadable : isWritable {
            self.waiting = nil
            waiting.handler()
        }
        if isReading, isReadable { reading?() }
    }

    // MARK: The end

    /// Whether the other side has closed the socket.
    var hasHungUp: Bool {
        var descriptor = pollfd(fd: socket, events: Int16(POLLIN), revents: 0)
        return poll(&descriptor, 1, 0) > 0 && descriptor.revents & Int16(POLLHUP | POLLERR) != 0
    }

    /// Ends the connection below libpq, which then sees it as closed by the server.
    func cutOff() {
        let descriptor = socket
        if descriptor >= 0 { _ = shutdown(descriptor, Int32(SHUT_RDWR)) }
    }

    /// Says good-bye to the server and frees everything; harmless a second time.
    func close() {
        stopReading()
        cancelWait()
        PQfinish(connection)
        connection = nil
        thread.watcher = nil
    }
}
