import Synchronization

#if canImport(Glibc)
import Glibc
#elseif canImport(Musl)
import Musl
#elseif canImport(Darwin)
import Darwin
#endif

/// What a ``ConnectionThread`` waits for besides work.
protocol SocketWatcher: AnyObject {
    /// The socket and what to wait for; a negative descriptor for nothing. Asked before each sleep.
    var watched: pollfd { get }

    /// Something of what was watched for happened.
    func happened(_ events: Int16)
}

/// A thread that does what it is given, in order, and sleeps in poll(2) between.
///
/// Unchecked because of ``watcher``, which is used on the thread only.
final class ConnectionThread: @unchecked Sendable {
    typealias Work = @Sendable () -> Void

    private struct State {
        var work: [Work] = []
        /// Whoever finds this set must ring.
        var isAsleep = false
        var isStopped = false
        var thread: pthread_t?
    }

    /// Deep enough for libpq's name lookups and handshakes; only what is used takes memory.
    private static let stackSize = 512 * 1024

    private let state = Mutex(State())
    /// A pipe: read end, write end.
    private var bell: [Int32] = [-1, -1]
    /// Set on the thread, or before anything runs on it.
    var watcher: (any SocketWatcher)?

    deinit {
        for descriptor in bell where descriptor >= 0 { close(descriptor) }
    }

    /// - Throws: ``PostgresError`` if the system has no thread or descriptor left.
    func start() throws {
        guard pipe(&bell) == 0 else { throw Self.exhausted("two file descriptors", errno) }
        for descriptor in bell {
            _ = fcntl(descriptor, F_SETFL, O_NONBLOCK)
            _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
        }
        let context = Unmanaged.passRetained(self)
        let failure = withUnsafeTemporaryAllocation(of: pthread_attr_t.self, capacity: 1) { buffer in
            guard let attributes = buffer.baseAddress else { return ENOMEM }
            pthread_attr_init(attributes)
            defer { pthread_attr_destroy(attributes) }
            pthread_attr_setstacksize(attributes, Self.stackSize)
            pthread_attr_setdetachstate(attributes, Int32(PTHREAD_CREATE_DETACHED))
            return Self.create(attributes, context.toOpaque())
        }
        guard failure == 0 else {
            context.release()
            throw Self.exhausted("a thread", failure)
        }
    }

    private static func exhausted(_ wanted: String, _ code: Int32) -> PostgresError {
        PostgresError(
            .cannotConnect,
            "expected \(wanted) for a connection to the database, got: \(String(cString: strerror(code)))",
            hint: "raise the limits of the process: ulimit -n -u"
        )
    }

    /// Whether the caller runs on this thread.
    var isCurrent: Bool {
        state.withLock { state in state.thread.map { pthread_equal($0, pthread_self()) != 0 } ?? false }
    }

    /// Has `work` done on the thread, after all that was given before.
    func run(_ work: @escaping Work) {
        let mustRing = state.withLock { state in
            state.work.append(work)
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if mustRing { ring() }
    }

    /// Ends the thread when it has done what it was given.
    func stop() {
        let mustRing = state.withLock { state in
            state.isStopped = true
            defer { state.isAsleep = false }
            return state.isAsleep
        }
        if mustRing { ring() }
    }

    /// There is room for it: only who ends a sleep rings, and each sleep begins with what was rung read.
    private func ring() {
        var byte: UInt8 = 0
        _ = write(bell[1], &byte, 1)
    }

    private static func create(_ attributes: UnsafePointer<pthread_attr_t>, _ context: UnsafeMutableRawPointer) -> Int32
    {
        #if canImport(Darwin)
        var thread: pthread_t?
        return pthread_create(&thread, attributes, { ConnectionThread.main($0) }, context)
        #else
        var thread: pthread_t = 0
        return pthread_create(&thread, attributes, { ConnectionThread.main($0) }, context)
        #endif
    }

    private static func main(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
        if let context { Unmanaged<ConnectionThread>.fromOpaque(context).takeRetainedValue().body() }
        return nil
    }

    private func body() {
        state.withLock { $0.thread = pthread_self() }
        var batch: [Work] = []
        while true {
            let isOver = state.withLock { state in
                swap(&batch, &state.work)
                state.isAsleep = batch.isEmpty && !state.isStopped
                return batch.isEmpty && state.isStopped
            }
            if isOver { return }
            if batch.isEmpty { sleep() }
            for work in batch { work() }
            batch.removeAll(keepingCapacity: true)
        }
    }

    private func sleep() {
        let nothing = pollfd(fd: -1, events: 0, revents: 0)
        var descriptors = (pollfd(fd: bell[0], events: Int16(POLLIN), revents: 0), watcher?.watched ?? nothing)
        _ = withUnsafeMutableBytes(of: &descriptors) { bytes in
            poll(bytes.assumingMemoryBound(to: pollfd.self).baseAddress, 2, -1)
        }
        state.withLock { $0.isAsleep = false }
        if descriptors.0.revents != 0 {
            var byte: UInt8 = 0
            _ = read(bell[0], &byte, 1)
        }
        if descriptors.1.revents != 0 { watcher?.happened(descriptors.1.revents) }
    }
}
