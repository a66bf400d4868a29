import CLibPQ
import Dispatch
import LeaseholdCore
import Logging
import Synchronization

/// One session with the database, over libpq's non-blocking interface.
///
/// The actor runs on a thread of its own (``ConnectionExecutor``), which also waits for the socket's
/// events. It does one thing at a time: a second statement while one runs is an error, not
/// a queue. Get one from ``PostgresPool``.
///
/// - `+connect`: from the URL to a usable session
/// - `+wait`: parking until the socket or a timer has news
/// - `+operation`: the frame round everything that is sent: begin, cancel, collect, end
/// - `+query`, `+pipeline`, `+transaction`, `+copyIn`, `+copyOut`, `+listen`: what is sent
package actor PostgresConnection {
    let executor: ConnectionExecutor
    let configuration: PostgresConfiguration
    let logger: Logger
    let link: SocketLink

    var phase = Phase.unconnected
    var operation: Operation?
    /// Messages sent that the server had to answer: statements, pipelines, prepares.
    nonisolated let roundTrips = Atomic(0)
    /// That the last operation left the session as ``isReusable`` wants it, for those who need not go to
    /// the connection's thread and back to ask. False means: ask.
    nonisolated let isKnownReusable = Atomic(false)
    var lastOperationID: UInt64 = 0
    var waiter: Waiter?
    /// Statement name to text, for those the server has prepared in this session.
    var prepared: [String: String] = [:]
    /// The server's prepared statements are not, or not all, what ``prepared`` said.
    var mustDeallocate = false
    var notifications = NotificationBuffer()
    /// The connection attempt whose time is up.
    var expiredAttempt = 0

    /// What a connection can be; each state names what it can become.
    enum Phase: Equatable {
        case unconnected  // -> connecting
        case connecting  // -> open, ended
        case open  // -> ended
        case ended(reason: String)  // -> closed
        case closed
    }

    init(configuration: PostgresConfiguration, logger: Logger) throws {
        executor = try ConnectionExecutor()
        self.configuration = configuration
        self.logger = logger
        link = SocketLink(thread: executor.thread)
    }

    deinit {
        let link = link
        executor.thread.run { link.close() }
    }

    package nonisolated var unownedExecutor: UnownedSerialExecutor {
        executor.asUnownedSerialExecutor()
    }

    /// Runs `action` on the connection's thread, soon.
    nonisolated func later(_ action: @escaping @Sendable (isolated PostgresConnection) -> Void) {
        executor.thread.run { [weak self] in self?.assumeIsolated { action($0) } }
    }

    /// Runs `action` on the connection's thread after `delay`, if the connection still lives.
    nonisolated func after(_ delay: Duration, _ action: @escaping @Sendable (isolated PostgresConnection) -> Void) {
        DispatchQueue.global().asyncAfter(deadline: .now() + delay.seconds) { [weak self] in self?.later(action) }
    }
}

extension PostgresConnection {
    /// The server process of this session; behind PgBouncer a number of PgBouncer's.
    package var backendPID: Int32 { PQbackendPID(link.connection) }

    /// As `server_version_num`: 150004 is 15.4.
    package var serverVersion: Int32 { PQserverVersion(link.connection) }

    package var transactionStatus: TransactionStatus {
        switch PQtransactionStatus(link.connection) {
        case PQTRANS_IDLE: .idle
        case PQTRANS_ACTIVE: .active
        case PQTRANS_INTRANS: .inTransaction
        case PQTRANS_INERROR: .failed
        default: .unknown
        }
    }

    package enum TransactionStatus: Hashable, Sendable {
        case idle
        /// A statement runs.
        case active
        case inTransaction
        /// In a transaction that can only be rolled back.
        case failed
        case unknown
    }

    /// Whether another user may have this connection: alive, outside any transaction, nothing
    /// running.
    var isReusable: Bool {
        guard isAtRest else { return false }
        noticeEnd()
        return isAtRest
    }

    private var isAtRest: Bool {
        phase == .open && operation == nil && PQpipelineStatus(link.connection) == PQ_PIPELINE_OFF
            && transactionStatus == .idle
    }

    /// To be called whenever the answer may have changed.
    func noteReusable() { isKnownReusable.store(isAtRest, ordering: .releasing) }

    /// Ends the session. Returns when the socket is closed; harmless if it is closed already.
    package func close() async {
        phase = .closed
        noteReusable()
        wake()
        link.close()
    }
}
