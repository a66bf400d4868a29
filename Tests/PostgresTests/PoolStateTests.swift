import Testing

@testable import Postgres

/// The pool's decisions alone; connections are numbers.
@Suite struct PoolStateTests {
    private var state = PoolState<Int>(size: 2, lifetime: .seconds(100), idleLimit: .seconds(10))

    @Test mutating func `callers connect until the pool is full and then stand in line`() {
        #expect(state.acquire(now: .zero).isConnect)
        #expect(state.acquire(now: .zero).isConnect)
        #expect(state.acquire(now: .zero).ticket == 1)
        #expect(state.acquire(now: .zero).ticket == 2)
        #expect(state.leased == 2)
        #expect(state.waiterCount == 2)
    }

    @Test mutating func `a connection that comes back goes to whoever waits longest`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        let first = state.release(7, bornAt: .zero, isReusable: true, now: .seconds(1))
        #expect(first.handed?.ticket == 1)
        #expect(first.handed?.connection == 7)
        #expect(state.release(8, bornAt: .zero, isReusable: true, now: .seconds(1)).handed?.ticket == 2)
        #expect(state.leased == 2)
    }

    @Test mutating func `a newcomer does not overtake a waiter`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        // The waiter is being served and the slot is free in the same moment for nobody else.
        _ = state.release(7, bornAt: .zero, isReusable: true, now: .zero)
        #expect(state.acquire(now: .zero).ticket == 2)
    }

    @Test mutating func `the connection used last is used first`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.release(1, bornAt: .zero, isReusable: true, now: .zero)
        _ = state.release(2, bornAt: .zero, isReusable: true, now: .zero)
        #expect(state.acquire(now: .zero).connection == 2)
        #expect(state.acquire(now: .zero).connection == 1)
    }

    @Test mutating func `a broken connection is closed and its slot goes to the next in line`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        let release = state.release(1, bornAt: .zero, isReusable: false, now: .zero)
        #expect(release.handed?.ticket == 1)
        #expect(release.handed?.connection == nil)
        #expect(release.closes)
        let last = state.release(2, bornAt: .zero, isReusable: false, now: .zero)
        #expect(last.closes && last.handed == nil)
        #expect(state.leased == 1)
    }

    @Test mutating func `a connection past its lifetime is closed when it comes back, and when it is idle`() {
        _ = state.acquire(now: .zero)
        #expect(state.release(1, bornAt: .zero, isReusable: true, now: .seconds(100)).closes)
        _ = state.acquire(now: .seconds(100))
        _ = state.release(2, bornAt: .seconds(100), isReusable: true, now: .seconds(101))
        #expect(state.sweep(now: .seconds(110)) == [])
        #expect(state.sweep(now: .seconds(111)) == [2])
        #expect(state.idleCount == 0)
    }

    @Test mutating func `a waiter that gives up is not served, one that is being served keeps its turn`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        let first = state.acquire(now: .zero).ticket ?? 0
        let second = state.acquire(now: .zero).ticket ?? 0
        let hasLeft = state.giveUp(first)
        let hasLeftTwice = state.giveUp(first)
        #expect(hasLeft && !hasLeftTwice)
        #expect(state.release(1, bornAt: .zero, isReusable: true, now: .zero).handed?.ticket == second)
        let leftTooLate = state.giveUp(second)
        #expect(!leftTooLate)
    }

    @Test mutating func `failures to connect slow the next attempts down, a success ends that`() {
        var waits: [Duration] = []
        var now = Duration.zero
        for _ in 0..<8 {
            _ = state.acquire(now: now)
            _ = state.didFailToConnect(now: now, jitter: 1)
            waits.append(state.replacement() - now)
            now = state.replacement()
        }
        #expect(waits.map { Int($0 / .milliseconds(1)) } == [100, 200, 400, 800, 1600, 3200, 5000, 5000])
        _ = state.acquire(now: now)
        state.didConnect()
        #expect(state.acquire(now: now).connectNotBefore == .zero)
    }

    @Test mutating func `attempts that fail at the same time count once`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.didFailToConnect(now: .zero, jitter: 0)
        let first = state.replacement()
        _ = state.didFailToConnect(now: .zero, jitter: 0)
        #expect(state.replacement() == first)
        #expect(first == .milliseconds(50))
        #expect(state.leased == 0)
    }

    @Test mutating func `a closed pool refuses, and takes nothing back`() {
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.acquire(now: .zero)
        _ = state.release(1, bornAt: .zero, isReusable: true, now: .zero)
        let closed = state.close()
        #expect(closed.idle.isEmpty)
        #expect(closed.waiters.isEmpty)
        #expect(state.acquire(now: .zero).isRefused)
        #expect(state.release(1, bornAt: .zero, isReusable: true, now: .zero).closes)
        #expect(state.release(2, bornAt: .zero, isReusable: true, now: .zero).closes)
        #expect(state.isDrained)
    }

    /// Any order of calls keeps the promise of the type: never more connections than the size, and
    /// nobody waits while something is idle.
    @Test func `whatever happens, the pool never exceeds its size and never forgets a slot`() {
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<200 {
            var run = PoolRun(size: Int.random(in: 1...4, using: &generator))
            for _ in 0..<200 { run.step(using: &generator) }
            run.finish()
            #expect(run.problems == [])
        }
    }
}

/// Plays many callers against the state and keeps its own books.
private struct PoolRun {
    var state: PoolState<Int>
    var leases: [Int?] = []
    var waiting: Set<UInt64> = []
    var problems: [String] = []
    private var nextConnection = 0

    init(size: Int) {
        state = PoolState(size: size, lifetime: .seconds(1000), idleLimit: .seconds(1000))
    }

    mutating func step(using generator: inout SystemRandomNumberGenerator) {
        switch Int.random(in: 0..<10, using: &generator) {
        case 0..<4: acquire()
        case 4..<7: release(isReusable: Bool.random(using: &generator))
        case 7: failToConnect()
        case 8: giveUp()
        default: connect()
        }
        check()
    }

    mutating func finish() {
        while !leases.isEmpty {
            connect()
            release(isReusable: true)
        }
        check()
        if !state.isDrained || state.waiterCount != 0 { problems.append("not drained") }
    }

    private mutating func acquire() {
        switch state.acquire(now: .zero) {
        case .use(let connection, _): leases.append(connection)
        case .connect: leases.append(nil)
        case .wait(let ticket): waiting.insert(ticket)
        case .refuse: problems.append("refused")
        }
    }

    private mutating func connect() {
        guard let index = leases.firstIndex(of: nil) else { return }
        nextConnection += 1
        leases[index] = nextConnection
        state.didConnect()
    }

    private mutating func release(isReusable: Bool) {
        guard let index = leases.firstIndex(where: { $0 != nil }), let connection = leases.remove(at: index) else {
            return
        }
        switch state.release(connection, bornAt: .zero, isReusable: isReusable, now: .zero) {
        case .kept, .close: break
        case .hand(let ticket, let grant), .closeAndHand(let ticket, let grant): serve(ticket, grant)
        }
    }

    private mutating func failToConnect() {
        guard let index = leases.firstIndex(of: nil) else { return }
        leases.remove(at: index)
        if let (ticket, grant) = state.didFailToConnect(now: .zero, jitter: 0) { serve(ticket, grant) }
    }

    private mutating func giveUp() {
        guard let ticket = waiting.randomElement() else { return }
        waiting.remove(ticket)
        if !state.giveUp(ticket) { problems.append("a waiter was lost") }
    }

    private mutating func serve(_ ticket: UInt64, _ grant: PoolState<Int>.Grant) {
        if waiting.remove(ticket) == nil { problems.append("served somebody who does not wait") }
        switch grant {
        case .connection(let connection, _): leases.append(connection)
        case .slot: leases.append(nil)
        }
    }

    private mutating func check() {
        if state.leased != leases.count { problems.append("leased \(state.leased), not \(leases.count)") }
        if state.leased + state.idleCount > state.size { problems.append("more than \(state.size)") }
        if state.waiterCount != waiting.count { problems.append("waiters") }
        if state.waiterCount > 0, state.idleCount > 0 { problems.append("somebody waits beside an idle connection") }
        if state.waiterCount > 0, state.leased < state.size { problems.append("somebody waits beside a free slot") }
    }
}

extension PoolState.Acquisition {
    fileprivate var isConnect: Bool { connectNotBefore != nil }

    fileprivate var connectNotBefore: Duration? {
        if case .connect(let notBefore) = self { notBefore } else { nil }
    }

    fileprivate var ticket: UInt64? {
        if case .wait(let ticket) = self { ticket } else { nil }
    }

    fileprivate var connection: Connection? {
        if case .use(let connection, _) = self { connection } else { nil }
    }

    fileprivate var isRefused: Bool {
        if case .refuse = self { true } else { false }
    }
}

extension PoolState.Release {
    fileprivate var closes: Bool {
        switch self {
        case .close, .closeAndHand: true
        case .kept, .hand: false
        }
    }

    fileprivate var handed: (ticket: UInt64, connection: Connection?)? {
        switch self {
        case .hand(let ticket, let grant), .closeAndHand(let ticket, let grant):
            if case .connection(let connection, _) = grant { (ticket, connection) } else { (ticket, nil) }
        case .kept, .close: nil
        }
    }
}
