import LeaseholdCore

/// The pool's decisions, without a connection, a clock or a lock.
///
/// A slot is a place for one connection: it is taken by a lease (from the moment a caller may
/// connect or gets a connection) or by an idle connection. `leased + idle.count <= size` always.
/// While somebody waits, nothing is idle.
struct PoolState<Connection: Sendable> {
    typealias Ticket = UInt64

    enum Acquisition {
        /// A connection that was idle; check it, and come back with ``replace`` if it is dead.
        case use(Connection, bornAt: Duration)
        /// A free slot: connect, not before `after`.
        case connect(notBefore: Duration)
        case wait(Ticket)
        case refuse
    }

    enum Grant: Sendable {
        case connection(Connection, bornAt: Duration)
        case slot(notBefore: Duration)
    }

    enum Release {
        case kept
        case hand(Ticket, Grant)
        case close
        /// Close the connection and tell the waiter to connect.
        case closeAndHand(Ticket, Grant)
    }

    private struct Idle {
        var connection: Connection
        var bornAt: Duration
        var since: Duration
    }

    let size: Int
    let lifetime: Duration
    let idleLimit: Duration
    private var idle: [Idle] = []
    private(set) var leased = 0
    private var waiters: [Ticket] = []
    private var lastTicket: Ticket = 0
    private var backOff = BackOff()
    private(set) var isClosed = false

    init(size: Int, lifetime: Duration, idleLimit: Duration) {
        self.size = size
        self.lifetime = lifetime
        self.idleLimit = idleLimit
    }

    var idleCount: Int { idle.count }
    var idleConnections: [Connection] { idle.map(\.connection) }
    var waiterCount: Int { waiters.count }
    var isDrained: Bool { leased == 0 }

    /// First come, first served: a newcomer never overtakes a waiter.
    mutating func acquire(now: Duration) -> Acquisition {
        guard !isClosed else { return .refuse }
        if waiters.isEmpty {
            // The one used last is the likeliest to be alive, and lets the others grow old.
            if let last = idle.popLast() {
                leased += 1
                return .use(last.connection, bornAt: last.bornAt)
            }
            if leased < size {
                leased += 1
                return .connect(notBefore: backOff.until)
            }
        }
        lastTicket += 1
        waiters.append(lastTicket)
        return .wait(lastTicket)
    }

    /// The leased connection turned out dead: the lease keeps its slot and may connect again.
    func replacement() -> Duration { backOff.until }

    mutating func didConnect() { backOff.succeeded() }

    /// Connecting failed; the lease is over.
    ///
    /// - Parameter jitter: from 0 to 1, spreads the attempts of many processes.
    mutating func didFailToConnect(now: Duration, jitter: Double) -> (ticket: Ticket, grant: Grant)? {
        backOff.failed(now: now, jitter: jitter)
        return freeSlot()
    }

    /// A lease ends.
    mutating func release(_ connection: Connection, bornAt: Duration, isReusable: Bool, now: Duration) -> Release {
        let mayLive = isReusable && !isClosed && now - bornAt < lifetime
        guard mayLive else {
            guard let next = freeSlot() else { return .close }
            return .closeAndHand(next.ticket, next.grant)
        }
        if let ticket = nextWaiter() {
            return .hand(ticket, .connection(connection, bornAt: bornAt))
        }
        leased -= 1
        idle.append(Idle(connection: connection, bornAt: bornAt, since: now))
        return .kept
    }

    /// A lease ends without a connection.
    mutating func freeSlot() -> (ticket: Ticket, grant: Grant)? {
        if let ticket = nextWaiter() { return (ticket, .slot(notBefore: backOff.until)) }
        leased -= 1
        return nil
    }

    /// - Returns: false if the waiter is being served already; it then holds a lease.
    mutating func giveUp(_ ticket: Ticket) -> Bool {
        guard let index = waiters.firstIndex(of: ticket) else { return false }
        waiters.remove(at: index)
        return true
    }

    /// - Returns: idle connections that are too old or were idle for too long.
    mutating func sweep(now: Duration) -> [Connection] {
        let (lifetime, idleLimit) = (lifetime, idleLimit)
        let isOld = { (idle: Idle) in now - idle.bornAt >= lifetime || now - idle.since >= idleLimit }
        let old = idle.filter(isOld)
        idle.removeAll(where: isOld)
        return old.map(\.connection)
    }

    /// No lease is given any more. Leases that are out are closed when they come back.
    mutating func close() -> (idle: [Connection], waiters: [Ticket]) {
        isClosed = true
        defer {
            idle = []
            waiters = []
        }
        return (idle.map(\.connection), waiters)
    }

    /// The lease passes from the one who gives back to the waiter, so `leased` stays.
    private mutating func nextWaiter() -> Ticket? {
        waiters.isEmpty ? nil : waiters.removeFirst()
    }
}

/// When the next attempt to connect may start: at once after a success, after a failure from 0.1 s
/// doubling to 5 s, of which half is random.
struct BackOff {
    private static let first = Duration.milliseconds(100)
    private static let longest = Duration.seconds(5)

    private var failures = 0
    private(set) var until = Duration.zero

    mutating func succeeded() { self = BackOff() }

    mutating func failed(now: Duration, jitter: Double) {
        // Attempts that ran at the same time count once.
        guard now >= until else { return }
        let step = min(Self.longest, Self.first * (1 << min(failures, 6)))
        failures += 1
        until = now + step / 2 + step * (jitter / 2)
    }
}
